"""Contenders in processes of their own, timed in turn."""

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple, cast

import numpy as np

from benchmarks.speed import process_memory
from tfgen.errors import UserError

CLOCKS = ("wall", "processor")
"""Elapsed seconds; seconds that the process itself computed, whatever else the machine does."""

ROOT = pathlib.Path(__file__).parents[2]

Outputs = dict[str, dict[str, np.ndarray]]
"""The arrays that each contender's work yields, by the names of contender and array."""


class Contender:
    """A process that serves a module of `benchmarks.peers.contenders`.

    Args:
        command: that starts it.
    """

    def __init__(self, command: Sequence[str]):
        self._command = list(command)
        # a file, since a pipe that nobody reads would fill up and stop the process
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
        self._stdin = cast(IO[str], self._process.stdin)
        self._stdout = cast(IO[str], self._process.stdout)

    @functools.cached_property
    def version(self) -> str:
        """The version of its library; waits until the process is ready."""
        return self._answer()

    def outputs(self, path: pathlib.Path) -> dict[str, np.ndarray]:
        """Returns the arrays that its work yields, by name; ask before the first run.

        Args:
            path: the .npz file that it writes them to.
        """
        self._ask(f"answer {path}")
        with np.load(path) as file:
            return dict(file)

    def seconds(self, clock: str) -> float:
        """Runs once, and returns the seconds by a clock of `CLOCKS`."""
        taken = map(float, self._ask("run").split())
        return dict(zip(CLOCKS, taken, strict=True))[clock]

    @property
    def peak(self) -> float:
        """The most memory that it has held so far, MiB."""
        return process_memory.held(self._process.pid).peak

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()  # closes stdin, which ends it, and waits
        self._complaints.close()

    def _ask(self, line: str) -> str:
        self._stdin.write(line + "\n")
        return self._answer()

    def _answer(self) -> str:
        line = self._stdout.readline()
        if not line:
            self._process.wait()
            self._complaints.seek(0)
            last = (self._complaints.read().strip().splitlines() or ["nothing"])[-1]
            command = " ".join(self._command)
            raise UserError(
                f"{command}: expected an answer and found that it ended, saying: {last}"
            )
        return line.strip()


@contextlib.contextmanager
def started(commands: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Contender]]:
    """Starts contenders, and yields them once all are ready; they end with the block.

    Args:
        commands: that start them, by name.
    """
    with contextlib.ExitStack() as stack:
        contenders = {}
        for name, command in commands.items():
            contenders[name] = stack.enter_context(contextlib.closing(Contender(command)))
        # all start at once, and are waited for only then
        for contender in contenders.values():
            _ = contender.version
        yield contenders


class Timed(NamedTuple):
    """Contenders that were timed in turn.

    Attributes:
        seconds: of each round, by contender.
        versions: of the libraries, by contender.
    """

    seconds: dict[str, list[float]]
    versions: dict[str, str]


def timed(
    commands: Mapping[str, Sequence[str]],
    check: Callable[[Outputs], None],
    *,
    rounds: int,
    clock: str,
) -> Timed:
    """Starts contenders, checks what they yield, and times them in turn.

    Args:
        commands: that start them, by name.
        check: raises UserError unless the contenders' outputs agree.
        rounds: how often each is timed.
        clock: of `CLOCKS`.
    """
    with started(commands) as contenders:
        check(outputs_of(contenders))
        seconds = interleaved(contenders, rounds, clock)
        versions = {name: contender.version for name, contender in contenders.items()}
    return Timed(seconds, versions)


def outputs_of(contenders: Mapping[str, Contender]) -> Outputs:
    """Returns the arrays that each contender's work yields; ask before the first run."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "answer.npz"
        return {name: contender.outputs(path) for name, contender in contenders.items()}


def interleaved(
    contenders: Mapping[str, Contender], rounds: int, clock: str
) -> dict[str, list[float]]:
    """Times contenders in turn, A B C A B C ..., after a round to warm up.

    Args:
        contenders: by name.
        rounds: how often each is timed.
        clock: of `CLOCKS`.

    Returns:
        The seconds of each round, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            taken = contender.seconds(clock)
            if number:  # the first round warms up
                seconds[name].append(taken)
    return seconds


def command_of(module: str, *words: str, python: str | None = None) -> list[str]:
    """Returns the command that starts a module of `benchmarks.peers.contenders`.

    Args:
        module: its name in the package.
        words: its arguments.
        python: the interpreter; None takes the one that runs now.
    """
    return [python or sys.executable, "-m", "benchmarks.peers.contenders", module, *words]
