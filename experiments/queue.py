"""Runs the shell commands of a file, one after the other, and resumes where it stopped.

    python -m experiments.queue FILE [--dry_run | --status] [--threads=2] [--stop_on_failure]

FILE holds one command a line; lines that begin with # are comments. The file is read again after
every command, so lines can be added while the queue runs. Beside FILE appear:

    FILE.record.jsonl   a row for each command: text, log, start, end, seconds, exit code
    FILE.logs/          the output of each command
    FILE.lock           held by the queue and by the command that it runs

Start the same queue again to resume it: commands that succeeded are skipped; those that failed, or
were interrupted, run again from their own checkpoints. SIGTERM and Ctrl-C stop the running command
and end the queue. A command that something else kills is run again, --attempts times in all.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from experiments import command_record, queue_files
from experiments.command_record import Entry, Record, State
from experiments.queue_files import QueueFiles
from tfgen.errors import UserError

POLL = 0.1
"""Seconds between two looks at the running command."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
"""Environment variables that limit the threads of NumPy, PyTorch and TensorFlow."""


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that end the queue."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m experiments.queue",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("file", type=pathlib.Path, help="The file of commands.")
    made.add_argument(
        "--dry_run", action="store_true", help="List what would run, and run nothing."
    )
    made.add_argument("--status", action="store_true", help="List the state of every command.")
    made.add_argument("--stop_on_failure", action="store_true", help="End at the first failure.")
    made.add_argument("--threads", type=int, help="Threads of each command; all unless given.")
    made.add_argument("--nice", type=int, default=19, help="Niceness of the commands, 0 to 19.")
    made.add_argument("--attempts", type=int, default=3, help="Runs of a command that is killed.")
    made.add_argument("--grace", type=float, default=60, help="Seconds from SIGTERM to SIGKILL.")
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Runs or lists the queue.

    Args:
        words: the command line without the program; by default that of this process.
    """
    options = parser().parse_args(words)
    try:
        _check(options)
        files = QueueFiles(options.file.resolve())
        if options.status or options.dry_run:
            print(queue_files.listing(files, only_pending=options.dry_run))
            return
        with files.locked() as lock:
            queue = Queue(files, options, lock)
            with queue.stopped_by_signals():
                failed = queue.run()
    except UserError as error:
        sys.exit(f"error: {error}")
    if queue.stopping:
        sys.exit("interrupted; the same command goes on from there")
    if failed:
        sys.exit(f"{len(failed)} of the commands failed; --status lists them")


class Queue:
    """The run of a queue.

    Args:
        files: its files.
        options: of the command line.
        lock: the descriptor of the held lock, which commands inherit.

    Attributes:
        stopping: whether a signal asked the queue to end.
    """

    def __init__(self, files: QueueFiles, options: argparse.Namespace, lock: int):
        self.files = files
        self.options = options
        self.stopping = False
        self._lock = lock
        self._record = Record(files.record)

    @contextlib.contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Ends the queue when a signal of `SIGNALS` arrives within the block."""

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.stopping = True

        # what is ignored stays so: nohup and background jobs rely on it
        heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        kept = {number: signal.signal(number, stop) for number in heard}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def run(self) -> list[str]:
        """Runs each command that is not done, once, and returns those that failed."""
        attempted: set[str] = set()
        failed: list[str] = []
        while not self.stopping:
            pending = [c for c in self.files.commands() if self._is_pending(c, attempted)]
            if not pending:
                break
            print(f"{len(pending)} to run; now: {pending[0]}", flush=True)
            attempted.add(pending[0])
            entry = self._attempt(pending[0])
            if self.stopping:
                break
            print(f"{entry.state} after {entry.seconds:.1f} s", flush=True)
            if entry.state is not State.DONE:
                failed.append(entry.command)
                if self.options.stop_on_failure:
                    break
        return failed

    def _is_pending(self, command: str, attempted: set[str]) -> bool:
        return command not in attempted and self._record.state(command) is not State.DONE

    def _attempt(self, command: str) -> Entry:
        """Runs a command, again if it is killed, and returns its last run."""
        for left in reversed(range(self.options.attempts)):
            entry = self._run_once(command)
            if self.stopping or entry.state is not State.INTERRUPTED:
                break
            print(f"killed; {left} attempts left", flush=True)
        return entry

    def _run_once(self, command: str) -> Entry:
        """Runs a command to its end and records it; a run that the queue stops gets no end."""
        began = time.monotonic()
        entry = Entry(command, command_record.log_name(command), _now())
        self._record.put(entry)
        path = self.files.logs / entry.log
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(f"== {entry.start} {command}\n")
            log.flush()
            process = subprocess.Popen(
                ["nice", "-n", str(self.options.nice), "sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(os.environ, self.options.threads),
                start_new_session=True,  # so that Ctrl-C reaches the queue alone
                pass_fds=[self._lock],
            )
            code = self._wait(process)
        # a stopped command may end well, after a checkpoint, and yet not be done
        if self.stopping:
            return entry
        seconds = round(time.monotonic() - began, 3)
        entry = dataclasses.replace(entry, end=_now(), seconds=seconds, exit_code=code)
        self._record.put(entry)
        return entry

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Waits until a command has ended, and returns its exit code as a shell would say it."""
        while True:
            if self.stopping:
                _end_group(process, self.options.grace)
            try:
                code = process.wait(POLL)
            except subprocess.TimeoutExpired:
                continue
            return 128 - code if code < 0 else code


def environment(given: Mapping[str, str], threads: int | None) -> dict[str, str]:
    """Returns the environment of a command.

    Args:
        given: that of the queue.
        threads: how many threads a command may use; None leaves it to the libraries.
    """
    limits = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    return {**given, **limits}


def _end_group(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ends a command with all that it started: SIGTERM, and SIGKILL after `grace` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    # also after a quiet end: a shell may go before the programs that it started
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _check(options: argparse.Namespace) -> None:
    """Raises UserError if an option is out of its range."""
    least = {"threads": 1, "nice": 0, "attempts": 1, "grace": 0}
    values = vars(options)
    for name, bound in least.items():
        value = values[name]
        if value is not None and value < bound:
            raise UserError(f"--{name}: expected a number of at least {bound} and found {value}")


def _now() -> str:
    return datetime.datetime.now().isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
