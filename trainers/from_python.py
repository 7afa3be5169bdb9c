"""Training from Python: the flags of a recipe and of keywords, through the training command."""

import pathlib
from collections.abc import Mapping
from typing import Any

from absl import flags as absl_flags

import tfgen
from trainers import main
from trainers.run import flags, parsing


def train(recipe: str, workdir: str | pathlib.Path, overrides: Mapping[str, Any]) -> tfgen.Model:
    """Trains a recipe and returns its model; see `trainers.train`."""
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    main.define(values)
    words = [f"--flagfile={recipe}", f"--workdir={workdir}"]
    words += [word_of(name, value) for name, value in overrides.items()]
    argv = ["trainers.train", *words]
    flags.define_own_nets(values, argv)
    parsing.parse(argv, values)
    main.main(values)
    return tfgen.load(workdir)


def word_of(name: str, value: Any) -> str:
    """Returns a keyword as a word of a command line.

    Args:
        name: of the flag, with two underscores for a dot.
        value: a number, a truth value, a string, or a list of these.
    """
    if isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    return f"--{name.replace('__', '.')}={value}"
