"""Flags that several benchmarks share, and what they do."""

import os
import pathlib
import shlex
from collections.abc import Collection
from typing import Any

from absl import flags as absl_flags

from benchmarks.speed.processes import CLOCKS, ROOT
from experiments import command_flags
from tfgen.errors import UserError

OURS = "tfgen"
"""The name of tfgen beside other libraries."""


def define_rounds(place: dict[str, Any], default: int, text: str) -> None:
    """Defines --rounds.

    Args:
        place: what `command_flags.place` returned.
        default: of the flag.
        text: its help.
    """
    absl_flags.DEFINE_integer("rounds", default, text, lower_bound=1, **place)


def define_width(place: dict[str, Any]) -> None:
    """Defines --width."""
    text = "Factor on the numbers of filters."
    absl_flags.DEFINE_float("width", 1.0, text, lower_bound=0.02, **place)


def define_timing(place: dict[str, Any]) -> None:
    """Defines --processors and --clock."""
    text = "How many processors to use; all unless given."
    absl_flags.DEFINE_integer("processors", None, text, lower_bound=1, **place)
    text = (
        "wall: elapsed time; processor: what each process computes, for one processor, which "
        "other programs disturb less."
    )
    absl_flags.DEFINE_enum("clock", "wall", CLOCKS, text, **place)


def define_python(place: dict[str, Any]) -> None:
    """Defines --python."""
    text = "The interpreter of the peers' environment."
    absl_flags.DEFINE_string("python", ".venv-peers/bin/python", text, **place)


def define_page(place: dict[str, Any]) -> None:
    """Defines --page."""
    text = "A Markdown page in which this measurement's part is replaced."
    absl_flags.DEFINE_string("page", None, text, **place)


def define_output(place: dict[str, Any]) -> None:
    """Defines --output."""
    absl_flags.DEFINE_string("output", None, "A Markdown file to write the table to.", **place)


def define_without(place: dict[str, Any]) -> None:
    """Defines --without."""
    text = "Libraries to leave out, by their names in the tables, such as JAX."
    absl_flags.DEFINE_list("without", [], text, **place)


def require_known_without(values: absl_flags.FlagValues, contenders: Collection[str]) -> None:
    """Raises UserError unless all that --without names is known, and is not tfgen."""
    known = sorted(set(contenders) - {OURS})
    command_flags.require_known("without", values.without, known)


def require_python(values: absl_flags.FlagValues, target: str) -> None:
    """Raises UserError unless the peers' interpreter exists.

    Args:
        values: with --python.
        target: of the Makefile, which makes the environment.
    """
    if not pathlib.Path(ROOT / values.python).exists():
        raise UserError(
            f"--python: expected the peers' interpreter and found none at {values.python}; "
            f"make {target}"
        )


def pin(values: absl_flags.FlagValues) -> None:
    """Keeps this process, and those that it starts, to as many processors as --processors says."""
    if values.processors:
        # processes that start from here on inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: values.processors])


def timing_words(values: absl_flags.FlagValues) -> list[str]:
    """Returns the flags of `define_timing` that were given, as words of a command line."""
    words = [f"--processors={values.processors}"] if values.processors else []
    if values.clock != "wall":
        words.append(f"--clock={values.clock}")
    return words


def without_words(values: absl_flags.FlagValues, contenders: Collection[str]) -> list[str]:
    """Returns --without for some contenders, as words of a command line.

    Args:
        values: with --without.
        contenders: the names that matter; others are not mentioned.
    """
    names = [name for name in values.without if name in contenders]
    if not names:
        return []
    quoted = [f'"{name}"' if "," in name else name for name in names]  # absl reads lists as CSV
    return [shlex.quote(f"--without={','.join(quoted)}")]
