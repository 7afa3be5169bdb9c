"""A process that stays warm, and runs once whenever it is asked to."""

import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

ANSWERS = os.dup(1)
"""Where answers go: libraries that print must not be mistaken for them."""
os.dup2(2, 1)


def serve(version: str, answer: Callable[[], tuple[np.ndarray, np.ndarray]] | None, run: Callable[[], object]) -> None:
    """Answers commands on stdin, a line each, until it ends.

    `answer PATH` writes energy [b] and gradient [b, h, w, c] of the start as .npz; `run` runs once and says
    how many seconds it took, and how many of them a processor spent on it.

    Args:
        version: of the library, said first.
        answer: these energies and gradients; None where there are none.
        run: must not return before it is done.
    """
    with os.fdopen(ANSWERS, "w", buffering=1) as said:
        said.write(f"{version}\n")
        for command, argument in _commands():
            if command == "answer":
                energy, gradient = answer()
                np.savez(argument, energy=energy, gradient=gradient)
                said.write("done\n")
            else:
                start, own = time.perf_counter(), time.process_time()
                run()
                said.write(f"{time.perf_counter() - start} {time.process_time() - own}\n")


def _commands() -> Iterator[tuple[str, str]]:
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        yield command, argument
