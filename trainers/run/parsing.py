"""Parses command lines, and reports a mistake in one sentence."""

import difflib
import os
import re
from collections.abc import Sequence
from typing import Any

from absl import flags

from tfgen.errors import UserError
from trainers.run import flagfiles

REMOTE = re.compile(r"(\w+:)?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""An address such as gs://bucket/run, also of a data set: folder:gs://bucket/pictures."""

TAKES_ADDRESSES = ("server", "data_dir", "runner_options", "set", "title")
"""Flags that may hold an address: TensorFlow Datasets, for one, reads its directory anywhere."""


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
        The same values, set; `~` at the start of a path is the home directory.

    Raises:
        UserError: if a flag is unknown or out of its range, or a word is not a flag.
    """
    words = flagfiles.expand(argv)
    try:
        rest = values([word.text for word in words])
    except flags.UnrecognizedFlagError as error:
        where = _where(words, f"--{error.flagname}")
        raise UserError(_unknown(error.flagname, values) + where) from error
    except flags.Error as error:
        sentence = _sentence(error)
        culprit = re.match(r"(?:flag )?(--[\w.]+)", sentence)
        raise UserError(sentence + (_where(words, culprit[1]) if culprit else "")) from error
    if rest[1:]:
        raise UserError(f"expected flags only and found {rest[1]}{_where(words, rest[1])}")
    for name in values:
        values[name].value = _local(name, values[name].value)
    return values


def with_flagfiles(argv: Sequence[str]) -> list[str]:
    """Returns a command line with the flags of each flagfile in the place of its name.

    Args:
        argv: the program's name first.

    Raises:
        UserError: if a flagfile is neither a file nor a recipe, or cannot be read.
    """
    return [word.text for word in flagfiles.expand(argv)]


def _where(words: Sequence[flagfiles.Word], start: str) -> str:
    """Returns the place in a flagfile of the last word that begins so, for a complaint's end."""
    origins = [word.origin for word in words if word.text.startswith(start)]
    return f" ({origins[-1]})" if origins and origins[-1] else ""


def _local(name: str, value: Any) -> Any:
    """Returns a flag's value with `~` as the home directory; refuses addresses of other machines.

    Args:
        name: of the flag.
        value: a text, a list of texts, or another value, which stays as it is.
    """
    if isinstance(value, list):
        return [_local(name, each) for each in value]
    if not isinstance(value, str):
        return value
    if REMOTE.match(value) and name not in TAKES_ADDRESSES:
        raise UserError(
            f"--{name}: expected a path on this machine and found {value}; copy or mount it"
        )
    return os.path.expanduser(value) if value.startswith("~") else value  # noqa: PTH111


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
