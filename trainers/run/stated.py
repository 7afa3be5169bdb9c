"""What flags state about pictures and arrays, and a bar while many are read."""

import dataclasses
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from absl import flags as absl_flags
from tqdm import tqdm

from tfgen.data.reading import Reading
from tfgen.errors import UserError
from trainers.run import flags, options, signatures

NAMES = tuple(field.name for field in dataclasses.fields(options.PictureOptions))
"""The flags."""

PATIENCE = 2
"""Seconds before a bar appears: most data are read sooner."""


def define(values: absl_flags.FlagValues, module: str) -> None:
    """Defines the flags of a command that reads pictures but trains nothing.

    Args:
        values: where to.
        module: the title of their group in `--help`.
    """
    for option in signatures.options(options.PictureOptions, NAMES):
        flags.define_option(values, option.name, option, module=module)


def reading(values: absl_flags.FlagValues) -> Reading:
    """Returns what flags state.

    Args:
        values: the flags, set.

    Raises:
        UserError: if the range is none.
    """
    return Reading(
        background=values.background,
        bit_depth=values.bit_depth,
        value_range=_range(values.value_range),
    )


def _range(words: list[str] | None) -> tuple[float, float] | None:
    if not words:
        return None
    try:
        low, high = map(float, words)
        is_range = 0 < high - low < float("inf")
    except ValueError:
        is_range = False
    if not is_range:
        raise UserError(
            "--value_range: expected LOW,HIGH, two numbers of which the first is smaller, and "
            f"found {','.join(words)}"
        )
    return low, high


def shown(pictures: Iterable[Any]) -> Iterator[Any]:
    """Passes pictures on as they are read, under a bar if it takes long."""
    with tqdm(pictures, unit=" pictures", desc="reading", delay=PATIENCE, leave=False) as bar:
        yield from bar


def say(words: str) -> None:
    """Prints on stderr what a user waits for."""
    print(words, file=sys.stderr, flush=True)
