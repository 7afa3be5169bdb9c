"""A training run watched from outside: when its files appear, and what memory it holds then."""

import pathlib
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from benchmarks.speed import process_memory
from tfgen.errors import UserError

PATIENCE = 0.005
"""Seconds between two looks."""


class Seen(NamedTuple):
    """The state of a run when its metrics had grown by a row.

    Attributes:
        seconds: since the process was started.
        resident: MiB held then.
        peak: the most MiB held until then.
    """

    seconds: float
    resident: float
    peak: float


class Watched(NamedTuple):
    """A run that has ended.

    Attributes:
        built: seconds from the process's start until its data were read and its nets built.
        rows: the state at each row of metrics that training wrote.
    """

    built: float
    rows: list[Seen]


def watch(workdir: pathlib.Path, *command: str) -> Watched:
    """Runs a command to its end, and watches it.

    Args:
        workdir: where it writes flags.cfg once all is built, and a line of metrics.jsonl at each
            logged step.
        command: what starts it.

    Raises:
        UserError: if it fails.
    """
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        built: float | None = None
        rows: list[Seen] = []
        # files are looked at instead of pipes read, so that the run is the one that users start
        while process.poll() is None:
            seconds = time.perf_counter() - start
            if built is None and (workdir / "flags.cfg").exists():
                built = seconds
            if _lines(workdir / "metrics.jsonl") > len(rows):
                rows.append(Seen(seconds, *process_memory.held(process.pid)))
            time.sleep(PATIENCE)
        # a command that ends well without a row was no training run
        if not process.returncode and built is not None and rows:
            return Watched(built, rows)
        output.seek(0)
        last = (output.read().strip().splitlines() or ["nothing"])[-1]
    raise UserError(
        f"{' '.join(command)}: expected a training run and found that it ended, saying: {last}"
    )


def training(workdir: pathlib.Path, *flags: str) -> Watched:
    """Trains in a process of its own, by the interpreter that runs now, and watches it."""
    return watch(workdir, sys.executable, "-m", "trainers.main", f"--workdir={workdir}", *flags)


def _lines(path: pathlib.Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
