"""Commands that train, sample and evaluate: everything with flags and files."""

import sys

import tfgen  # noqa: F401  its settings must stand before TensorFlow is imported
from trainers import quiet

# a command, `python -m trainers.main`, imports TensorFlow quietly; a user's program does not
if quiet.is_command(sys.argv, sys.orig_argv):
    quiet.start(sys.argv[1:])


def train(recipe, *, workdir, **overrides):
    """Trains a recipe, as `python -m trainers.main` does, and returns its model.

    The weights are those that the command gives. Run again with the same work directory, it goes
    on where it stopped.

    Args:
        recipe: the name of a packaged recipe (`tfgen recipes` lists them), or a flagfile's path.
        workdir: a directory, where the run keeps everything it writes.
        overrides: flags that differ from the recipe's; two underscores stand for a dot, as in
            `generator__learning_rate=1e-3`.

    Returns:
        A `tfgen.Model`, with averaged weights where the run keeps them.

    Raises:
        UserError: if a flag, a file or the data set is not as it should be, or the run diverged.

    Example:
        >>> model = train("divergence_triangle_digits_cpu", workdir="runs/digits", steps=1500)
        >>> model.generate(count=16, seed=0)
    """
    from trainers import from_python  # TensorFlow takes seconds to import

    return from_python.train(recipe, workdir, overrides)
