"""The mistakes a user can mend, apart from the bugs that only we can."""

import math


class UserError(ValueError):
    """A mistake in a flag, a file or a data set.

    Its text is one sentence that names the culprit and says what was expected; the commands print it
    without a traceback and exit with code 1.
    """


def check(
    name: str,
    value: float,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> float:
    """A hyperparameter, if it is in its range.

    Args:
        name: of the hyperparameter.
        value: what was given.
        above: it must exceed this.
        least: it must not be below this.
        most: it must not exceed this.

    Returns:
        The value.

    Raises:
        UserError: if it is not.
    """
    if above < value and least <= value <= most:
        return value
    bounds = {"above": above, "at least": least, "at most": most}
    wanted = " and ".join(
        f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound)
    )
    raise UserError(f"{name}: expected a number {wanted} and found {value}")
