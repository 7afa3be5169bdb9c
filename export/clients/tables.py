"""Answers as numbers: tables for people and programs, and files of arrays."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.saved_model.description import EndpointDescription
from tfgen import files

MAX_COLUMNS = 32
"""Numbers of one output that stand in one row of a table for people."""


def fits(endpoint: EndpointDescription) -> bool:
    """Tells whether all that an endpoint answers are single numbers or vectors."""
    return all(len(entry.shape) < 2 for entry in endpoint.outputs.values())


def is_short(answer: Mapping[str, np.ndarray]) -> bool:
    """Tells whether an answer can be read as a table."""
    return all(value[0].size <= MAX_COLUMNS for value in answer.values())


def columns(row: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns the numbers of one row by column: NAME, or NAME_0, NAME_1, ... of a vector."""
    found = {}
    for name, value in row.items():
        if np.ndim(value) == 0:
            found[name] = float(value)
        else:
            found |= {f"{name}_{i}": float(number) for i, number in enumerate(value)}
    return found


def text(answer: Mapping[str, np.ndarray]) -> str:
    """Returns an answer as a table: a head, and a line for each row with its number."""
    count = len(next(iter(answer.values())))
    lines: list[list[str]] = []
    for i in range(count):
        row = columns({name: value[i] for name, value in answer.items()})
        if not lines:
            lines.append(["row", *row])
        lines.append([str(i), *(f"{number:.6g}" for number in row.values())])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(words, widths) for words in lines)


def _line(words: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(word.rjust(width) for word, width in zip(words, widths, strict=True))


def save(path: pathlib.Path, answer: Mapping[str, np.ndarray]) -> None:
    """Writes an answer by name as a .npz file, which appears whole or not at all."""
    arrays: dict[str, Any] = dict(answer)
    with files.written_aside(path) as aside:
        np.savez(aside, **arrays)
