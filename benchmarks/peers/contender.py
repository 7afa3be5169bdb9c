"""A process that stays warm, and runs once whenever it is asked to."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TextIO

import numpy as np


class Entry(NamedTuple):
    """What a library enters into a comparison."""

    version: str
    answer: Callable[[], Mapping[str, np.ndarray]] | None
    """Arrays by name, which the others' are compared with; asked for before the first run. None if there are none."""
    run: Callable[[], object]
    """Must not return before it is done."""


def answers() -> TextIO:
    """Where answers go: stdout as it was; from here on libraries that print do so to stderr, not to be mistaken."""
    said = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return said


def serve(entry: Entry, said: TextIO) -> None:
    """Answers commands on stdin, a line each, until it ends; the first answer is the version.

    `answer PATH` writes the entry's answer as .npz; `run` runs once and says how many seconds it took, and how many of
    them a processor spent on it.
    """
    with said:
        said.write(f"{entry.version}\n")
        for command, argument in _commands():
            if command == "answer":
                np.savez(argument, **entry.answer())
                said.write("done\n")
            else:
                start, own = time.perf_counter(), time.process_time()
                entry.run()
                said.write(f"{time.perf_counter() - start} {time.process_time() - own}\n")


def _commands() -> Iterator[tuple[str, str]]:
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        yield command, argument
