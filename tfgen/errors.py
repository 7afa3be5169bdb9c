"""The mistakes a user can mend, apart from the bugs that only we can."""


class UserError(ValueError):
    """A mistake in a flag, a file or a data set.

    Its text is one sentence that names the culprit and says what was expected; the commands print it
    without a traceback and exit with code 1.
    """
