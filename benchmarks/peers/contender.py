"""A process that stays warm, and runs once whenever it is asked to."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TextIO

import numpy as np


class Entry(NamedTuple):
    """What a library enters into a comparison.

    Attributes:
        version: of the library.
        answer: returns arrays by name, which are compared with the others'; called before the first
            run. None if there is nothing to compare.
        run: the work that is timed; must not return before it is done.
    """

    version: str
    answer: Callable[[], Mapping[str, np.ndarray]] | None
    run: Callable[[], object]


def answers() -> TextIO:
    """Returns the stream for answers, which is stdout as it was.

    From here on, libraries that print do so to stderr, where it is not mistaken for an answer.
    """
    stream = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # C++ code prints to the descriptor, not to sys.stdout
    return stream


def serve(entry: Entry, stream: TextIO) -> None:
    """Answers commands on stdin, a line each, until it ends; the first answer is the version.

    `answer PATH` writes the entry's arrays as .npz. `run` runs once, and answers how many seconds
    it took, and how many of them a processor spent on it.

    Args:
        entry: of the library.
        stream: for the answers.
    """
    with stream:
        stream.write(f"{entry.version}\n")
        for command, argument in _commands():
            if command == "answer":
                arrays: dict[str, Any] = {}
                if entry.answer is not None:
                    arrays |= entry.answer()
                np.savez(argument, **arrays)
                stream.write("done\n")
            else:
                start, own = time.perf_counter(), time.process_time()
                entry.run()
                seconds = time.perf_counter() - start
                stream.write(f"{seconds} {time.process_time() - own}\n")


def _commands() -> Iterator[tuple[str, str]]:
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        yield command, argument
