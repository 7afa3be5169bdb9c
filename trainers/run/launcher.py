"""Starts a run's workers as processes of this machine, and ends them together."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from absl import flags as absl_flags

from tfgen.errors import UserError
from trainers.run import commands, flags, strategy

GRACE = 15.0
"""Seconds in which the other workers may end by themselves after one has failed."""

TAIL = 4000
"""Bytes that are shown of the output of a worker that failed alone."""


def is_needed(values: absl_flags.FlagValues) -> bool:
    """Returns whether this process only starts workers: they themselves have TF_CONFIG."""
    return values.workers > 1 and strategy.TF_CONFIG not in os.environ


def check(values: absl_flags.FlagValues, count: int) -> None:
    """Raises UserError unless there are as many workers as the flags say, where they do.

    Args:
        values: the flags, set.
        count: of the workers that share an update.
    """
    if values.workers not in (1, count):
        raise UserError(
            f"--workers: expected the {count} workers of TF_CONFIG, or none, and found "
            f"{values.workers}"
        )


def run(values: absl_flags.FlagValues) -> None:
    """Trains in several processes, and exits with the code of the first that fails.

    The chief's output is shown, and that of another one where it fails alone. SIGTERM and Ctrl-C go
    to all.

    Args:
        values: the flags, set; `workers` says how many.
    """
    if values.strategy not in ("auto", "multi_worker"):
        raise UserError(
            f"--strategy: expected auto or multi_worker with --workers={values.workers} and found "
            f"{values.strategy}"
        )
    with contextlib.ExitStack() as stack:
        logs: list[IO[bytes] | None] = [None]
        logs += [stack.enter_context(tempfile.TemporaryFile()) for _ in range(values.workers - 1)]
        processes: list[subprocess.Popen] = []
        stack.enter_context(_forwarded(processes))
        stack.callback(_kill, processes)
        for number, environment in enumerate(environments(values.workers)):
            processes.append(_started(values, environment, logs[number]))
        failed = first_failure(processes)
        if failed is not None:
            end(processes, failed, logs[failed])


def environments(count: int) -> Iterator[dict[str, str]]:
    """Yields the environment of each worker."""
    ports = free_ports(count)
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    threads = str(max(1, (os.cpu_count() or 1) // count))
    for index in range(count):
        config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        shared = {"TF_NUM_INTRAOP_THREADS": threads} | os.environ
        yield shared | {strategy.TF_CONFIG: json.dumps(config)}


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("localhost", 0))
        return [found.getsockname()[1] for found in sockets]


def _started(
    values: absl_flags.FlagValues, environment: dict[str, str], log: IO[bytes] | None
) -> subprocess.Popen:
    words = [line for line in flags.written(values).splitlines() if line]
    if values.verbose:
        words.append("--verbose")
    return subprocess.Popen(
        [sys.executable, "-m", "trainers.main", *words],
        env=environment,
        stdout=log,
        stderr=log,
        # Ctrl-C would reach them twice, from the terminal and from this process
        start_new_session=True,
    )


@contextlib.contextmanager
def _forwarded(processes: list[subprocess.Popen]) -> Iterator[None]:
    """Within the block, signals that ask this process to stop go to the workers instead."""

    def forward(number, frame):
        for process in processes:
            process.send_signal(number)

    asked = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, forward) for number in asked}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def first_failure(processes: list[subprocess.Popen]) -> int | None:
    """Waits for all workers, or the first that fails, and returns its number or None."""
    while True:
        codes = [process.poll() for process in processes]
        failed = next((number for number, code in enumerate(codes) if code), None)
        if failed is not None or None not in codes:
            return failed
        time.sleep(0.05)


def end(processes: list[subprocess.Popen], failed: int, log: IO[bytes] | None) -> None:
    """Ends the other workers, then this process with the failed one's code."""
    deadline = time.monotonic() + GRACE
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    chief = processes[0].poll()
    _kill(processes)
    code = processes[failed].returncode
    if chief is None and log is not None:  # the chief has said nothing
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL))
        text = log.read().decode("utf-8", "replace")
        words = f"signal {-code}" if code < 0 else f"code {code}"
        print(f"{text}\nworker {failed} ended with {words}; all are ended", file=sys.stderr)
    sys.exit(code if code > 0 else commands.SIGNALLED - code)


def _kill(processes: list[subprocess.Popen]) -> None:
    """Kills the workers that still run; what they have saved stays whole."""
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()
