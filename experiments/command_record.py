"""A record of which commands of a queue ran, when, and how they ended."""

import dataclasses
import enum
import hashlib
import json
import pathlib
import re
from collections.abc import Iterable

from tfgen import files
from tfgen.errors import UserError

INTERRUPTING = {1: "SIGHUP", 2: "SIGINT", 9: "SIGKILL", 15: "SIGTERM"}
"""Signals that stop a command from outside, by number; others are the command's own crash."""


class State(enum.StrEnum):
    """The state of a command."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DONE = "done"


@dataclasses.dataclass(frozen=True)
class Entry:
    """The last run of one command.

    Args:
        command: the line of the queue's file.
        log: the name of the file with its output, in the directory of logs.
        start: local time of its start, ISO 8601.
        end: local time of its end; None while it runs, and if the queue was killed meanwhile.
        seconds: how long it ran; None like `end`.
        exit_code: what it returned, 128 + n if signal n ended it; None like `end`.
    """

    command: str
    log: str
    start: str
    end: str | None = None
    seconds: float | None = None
    exit_code: int | None = None

    @property
    def state(self) -> State:
        """How the run ended; a run without an end counts as interrupted."""
        if self.exit_code is None or self.exit_code - 128 in INTERRUPTING:
            return State.INTERRUPTED
        return State.FAILED if self.exit_code else State.DONE


class Record:
    """The last run of every command of a queue, in a file of JSON lines.

    The file is replaced as a whole after every change, so a kill at any time leaves a valid one.

    Args:
        path: the file; it need not exist.

    Raises:
        UserError: if the file is there and is not a record.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        self._entries: dict[str, Entry] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            entry = _entry_of(line, path)
            self._entries[entry.command] = entry

    def entry(self, command: str) -> Entry | None:
        """Returns the last run of a command; None if it never ran."""
        return self._entries.get(command)

    def state(self, command: str) -> State:
        """Returns how the last run of a command ended."""
        entry = self.entry(command)
        return State.WAITING if entry is None else entry.state

    def unfinished(self) -> str | None:
        """Returns the command that was started last, of those without an end; None if all ended."""
        started = [entry for entry in self._entries.values() if entry.end is None]
        last = max(started, key=lambda entry: entry.start, default=None)
        return None if last is None else last.command

    def put(self, entry: Entry) -> None:
        """Writes a command's run in the place of its earlier one."""
        self._entries[entry.command] = entry
        rows = [json.dumps(dataclasses.asdict(one)) for one in self._entries.values()]
        with files.written_aside(self.path) as aside:
            aside.write_text("".join(f"{row}\n" for row in rows))


def commands_of(text: str) -> list[str]:
    """Returns the commands of a queue's file, in order.

    Args:
        text: one shell command a line. Empty lines and lines that begin with # are skipped, and a
            line that stands there twice counts once.
    """
    lines = (line.strip() for line in text.splitlines())
    commands = (line for line in lines if line and not line.startswith("#"))
    return list(dict.fromkeys(commands))


def log_name(command: str) -> str:
    """Returns the name of a command's log: its last words, and a digest that tells it apart."""
    digest = hashlib.sha256(command.encode()).hexdigest()[:8]
    words = re.sub(r"\W+", "_", command).strip("_")[-60:]
    return f"{words}-{digest}.log"


def table(commands: Iterable[str], record: Record, running: str | None = None) -> str:
    """Returns a listing of commands: state, exit code, seconds, start and the command itself.

    Args:
        commands: in the order of the lines.
        record: of their last runs.
        running: the command that runs now.
    """
    lines = [f"{'state':<12} {'code':>4} {'seconds':>9}  {'start':<19}  command"]
    for command in commands:
        entry = record.entry(command)
        state = State.RUNNING if command == running else record.state(command)
        code, seconds, start = "", "", ""
        if entry is not None:
            start = entry.start
            code = "" if entry.exit_code is None else str(entry.exit_code)
            seconds = "" if entry.seconds is None else f"{entry.seconds:.1f}"
        lines.append(f"{state:<12} {code:>4} {seconds:>9}  {start:<19}  {command}")
    return "\n".join(lines)


def _entry_of(line: str, path: pathlib.Path) -> Entry:
    try:
        return Entry(**json.loads(line))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{path}: expected a row of a queue's record and found {line[:80]!r}; "
            "move the file away to run all commands again"
        ) from error
