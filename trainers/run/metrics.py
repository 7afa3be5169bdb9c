"""metrics.jsonl: one row per line, of training, of the guard, and of each evaluation."""

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

from tfgen import files

Row = dict[str, Any]


class Metrics:
    """The rows of a run.

    Each row has a `kind`: `train` (means over a logging interval), `guard` (a divergence and what
    was done), `evaluation` (a value with its protocol) or `verdict` (what the values of a
    measurement mean, in words).

    Lines that are no such rows are left out; the next resume moves them to `metrics.damaged`.

    Args:
        path: the file; need not exist.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        self._rows: list[Row] = []
        self._read = 0
        """Bytes of the file that `_rows` holds."""
        self._file: tuple[int, int] | None = None
        """The file that they were read from: its device and number."""

    def rows(self, kind: str | None = None) -> list[Row]:
        """Returns the rows of a kind, or all; only what is new in the file is read."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            self._catch_up(file)
            return [row for row in self._rows if kind in (None, row["kind"])]
        self._forget()
        return []

    def newest(self, kind: str, count: int) -> list[Row]:
        """Returns the last rows of a kind, in order."""
        self.rows("")  # only reads what is new
        found = (row for row in reversed(self._rows) if row["kind"] == kind)
        return list(itertools.islice(found, count))[::-1]

    def append(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Adds a row."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = json.dumps({"kind": kind, "step": step, **values}) + "\n"
        with self._held("ab+") as file:
            length = file.seek(0, os.SEEK_END)
            if length:
                file.seek(length - 1)
                if file.read(1) != b"\n":  # a line that a kill cut short
                    row = "\n" + row
            file.write(row.encode())

    def flush(self) -> None:
        """Forces all rows to the disk."""
        with contextlib.suppress(FileNotFoundError):
            files.flush(self.path)

    def rewind(self, step: int) -> None:
        """Drops the training rows after a step, which are about to be made again.

        Damaged lines are moved to `metrics.damaged`. The file stays as it is if nothing is dropped.
        """
        if not self.path.exists():
            return
        with self._held("rb") as file:
            content = file.read()
            kept, damaged = [], []
            for line in content.splitlines(keepends=True):
                row = _parsed(line)
                if row is None:
                    damaged.append(line)
                elif row["kind"] != "train" or row["step"] <= step:
                    kept.append(line if line.endswith(b"\n") else line + b"\n")
            if damaged:
                self._keep_damaged(damaged)
            if b"".join(kept) != content:
                with files.written_aside(self.path) as aside:
                    aside.write_bytes(b"".join(kept))
                self._forget()

    def _keep_damaged(self, lines: list[bytes]) -> None:
        """Adds lines to the file of damaged ones."""
        with self.path.with_suffix(".damaged").open("ab") as file:
            file.writelines(line.rstrip(b"\n") + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def _held(self, mode: str) -> Iterator[IO[bytes]]:
        """Opens the file for this process alone; others wait to change it, and readers do not."""
        while True:
            with self.path.open(mode) as file:
                # a file system without locks is used without
                with contextlib.suppress(OSError):
                    fcntl.flock(file, fcntl.LOCK_EX)
                if self.path.exists() and os.path.samestat(
                    os.fstat(file.fileno()), self.path.stat()
                ):
                    yield file
                    return
            # another process has replaced the file since it was opened

    def _catch_up(self, file: IO[bytes]) -> None:
        """Reads the lines that are new since the last time."""
        stat = os.fstat(file.fileno())
        if self._file != (stat.st_dev, stat.st_ino) or stat.st_size < self._read:
            self._forget()
            self._file = (stat.st_dev, stat.st_ino)
        file.seek(self._read)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        self._rows += [row for row in map(_parsed, content[:whole].splitlines()) if row is not None]
        self._read += whole
        last = _parsed(content[whole:])
        if last is not None:  # whole but for its end
            self._rows.append(last)
            self._read += len(content) - whole

    def _forget(self) -> None:
        self._rows, self._read, self._file = [], 0, None


def _parsed(line: bytes) -> Row | None:
    """Returns the row of a line, or None if it is none."""
    try:
        row = json.loads(line)
    except ValueError:  # JSON's and Unicode's errors are ones
        return None
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        return None
    step = row.get("step")
    return row if isinstance(step, int) and not isinstance(step, bool) else None
