"""Parses command lines, and reports a mistake in one sentence."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from absl import flags

from tfgen.errors import UserError
from trainers import recipes


def define_shared(values: flags.FlagValues) -> None:
    """Defines the flags that every command has.

    Args:
        values: where to.
    """
    where: dict[str, Any] = {"flag_values": values, "module_name": "every command"}
    text = "Read flags from this file, or from the packaged recipe of this name."
    flags.DEFINE_string("flagfile", None, text, **where)
    flags.DEFINE_boolean("verbose", False, "Show TensorFlow's own messages.", **where)


SHARED = ("flagfile", "verbose")
"""The names of these: they say how a command is started, not what it does."""


def parse(argv: Sequence[str], values: flags.FlagValues) -> flags.FlagValues:
    """Parses a command line.

    Args:
        argv: the program's name first.
        values: holds the definitions.

    Returns:
        The same values, set.

    Raises:
        UserError: if a flag is unknown or out of its range, or a word is not a flag.
    """
    words = with_flagfiles(argv, values)
    try:
        rest = values(words)
    except flags.UnrecognizedFlagError as error:
        raise UserError(_unknown(error.flagname, values)) from error
    except flags.Error as error:
        raise UserError(_sentence(error)) from error
    if rest[1:]:
        raise UserError(f"expected flags only and found {rest[1]}")
    return values


def with_flagfiles(argv: Sequence[str], values: flags.FlagValues) -> list[str]:
    """Returns a command line with the flags of each flagfile in the place of its name.

    Args:
        argv: the program's name first.
        values: holds the definitions.

    Raises:
        UserError: if a flagfile is neither a file nor a recipe, or cannot be read.
    """
    try:
        return values.read_flags_from_files(with_recipes(argv), force_gnu=False)
    except flags.CantOpenFlagFileError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--flagfile: could not read the file ({reason})") from error
    except flags.Error as error:
        raise UserError(_sentence(error)) from error


def with_recipes(argv: Sequence[str]) -> list[str]:
    """Returns a command line with the path of each packaged recipe in the place of its name.

    Args:
        argv: the program's name first.

    Raises:
        UserError: if `--flagfile` names neither a file nor a recipe.
    """
    found = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("--flagfile", "-flagfile"):
            value = value if equals else next(words, "")
            word = f"--flagfile={recipes.resolve(value)}"
        found.append(word)
    return found


def require(values: flags.FlagValues, *names: str) -> None:
    """Raises UserError unless all of the flags were given."""
    for name in names:
        if values[name].value is None:
            raise UserError(f"--{name}: expected a value and found none")


def _unknown(name: str, values: flags.FlagValues) -> str:
    known = [known for known in values if "." in known or len(known) > 2]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean --{close[0]}?" if close else ""
    return f"--{name}: there is no such flag{hint}"


def _sentence(error: flags.Error) -> str:
    """Returns absl's `flag --NAME=VALUE: expected ...` as the library says such things."""
    return re.sub(
        r"^flag (--[\w.]+)=.*?: expected ", r"\1: expected ", " ".join(str(error).split())
    )
