"""The file of a queue, and the files beside it: record, logs and lock."""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
from collections.abc import Iterator

from experiments import command_record
from experiments.command_record import Record, State
from tfgen.errors import UserError


@dataclasses.dataclass(frozen=True)
class QueueFiles:
    """The file of a queue and the files beside it."""

    file: pathlib.Path

    @property
    def record(self) -> pathlib.Path:
        """The file of the record."""
        return self._beside("record.jsonl")

    @property
    def logs(self) -> pathlib.Path:
        """The directory of the commands' outputs."""
        return self._beside("logs")

    def commands(self) -> list[str]:
        """Returns the commands that the file holds now.

        Raises:
            UserError: if there is no such file.
        """
        try:
            return command_record.commands_of(self.file.read_text())
        except (FileNotFoundError, IsADirectoryError) as error:
            raise UserError(
                f"FILE: expected a file of commands and found no {self.file}"
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Holds the queue's lock within the block, and yields the lock's file descriptor.

        Commands inherit the descriptor: if the queue is killed, the lock holds until the command
        that it left behind has ended, and no second queue starts the same command meanwhile.

        Raises:
            UserError: if another queue of the file, or a command that it left, still runs.
        """
        self.commands()  # a wrong name is said before a lock file appears beside it
        with self._beside("lock").open("a+") as lock:
            if not _acquire(lock.fileno()):
                lock.seek(0)
                raise UserError(
                    f"{self.file}: expected no other queue of this file and found one, or a "
                    f"command that it started, still running (process {lock.read().strip()})"
                )
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield lock.fileno()

    def is_running(self) -> bool:
        """Returns whether a queue of the file, or a command that it started, runs now."""
        path = self._beside("lock")
        if not path.exists():
            return False
        with path.open() as lock:
            return not _acquire(lock.fileno())

    def _beside(self, ending: str) -> pathlib.Path:
        return self.file.with_name(f"{self.file.name}.{ending}")


def listing(files: QueueFiles, only_pending: bool) -> str:
    """Returns the table of a queue's commands.

    Args:
        files: the queue's files.
        only_pending: leaves out what is done.
    """
    record, commands = Record(files.record), files.commands()
    running = record.unfinished() if files.is_running() else None
    if only_pending:
        commands = [c for c in commands if record.state(c) is not State.DONE]
    return command_record.table(commands, record, running)


def _acquire(descriptor: int) -> bool:
    """Takes a file's lock if it is free, and returns whether it was."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
