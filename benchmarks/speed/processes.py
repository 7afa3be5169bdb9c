"""Contenders in processes of their own, timed in turn."""

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.speed import process_memory
from tfgen.errors import UserError

CLOCKS = ("wall", "processor")
"""The second counts what the process itself computed, whatever else the machine does meanwhile."""

ROOT = pathlib.Path(__file__).parents[2]


class Contender:
    """A process that serves an entry of `benchmarks.peers`.

    Args:
        command: what starts it.
    """

    def __init__(self, command: Sequence[str]):
        self._command = list(command)
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            bufsize=1,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    @functools.cached_property
    def version(self) -> str:
        """Of its library, once it is ready."""
        return self._answer()

    def outputs(self, path: pathlib.Path) -> dict[str, np.ndarray]:
        """What its work comes to, by way of a file; asked for before its first run."""
        self._ask(f"answer {path}")
        with np.load(path) as file:
            return dict(file)

    def seconds(self, clock: str) -> float:
        """Of one run, by a clock of `CLOCKS`."""
        return dict(zip(CLOCKS, map(float, self._ask("run").split()), strict=True))[clock]

    @property
    def peak(self) -> float:
        """The most memory that it has held so far, MiB."""
        return process_memory.held(self._process.pid).peak

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()
        self._complaints.close()

    def _ask(self, line: str) -> str:
        self._process.stdin.write(line + "\n")
        return self._answer()

    def _answer(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._complaints.seek(0)
            last = (self._complaints.read().strip().splitlines() or ["nothing"])[-1]
            raise UserError(
                f"{' '.join(self._command)}: expected an answer and found that it ended, saying: {last}"
            )
        return line.strip()


@contextlib.contextmanager
def started(commands: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Contender]]:
    """Contenders by name, ready, from the commands that start them; they end with the block."""
    with contextlib.ExitStack() as stack:
        contenders = {
            name: stack.enter_context(contextlib.closing(Contender(c)))
            for name, c in commands.items()
        }
        for contender in contenders.values():
            _ = contender.version  # all are ready from here on
        yield contenders


def interleaved(
    contenders: Mapping[str, Contender], rounds: int, clock: str
) -> dict[str, list[float]]:
    """Seconds of each, timed in turn, A B C A B C ..., after a round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            taken = contender.seconds(clock)
            if number:
                seconds[name].append(taken)
    return seconds


def command_of(module: str, *words: str, python: str | None = None) -> list[str]:
    """What starts a module of `benchmarks.peers`, by default with the interpreter that runs now."""
    return [python or sys.executable, "-m", "benchmarks.peers.contenders", module, *words]
