"""metrics.jsonl: one row per line, of training, of the guard, and of each evaluation."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tfgen import files

Row = dict[str, Any]


class Metrics:
    """The rows of a run.

    Each row has a `kind`: `train` (means over a logging interval), `guard` (a divergence and what
    was done), `evaluation` (a value with its protocol) or `verdict` (what the values of a
    measurement mean, in words).

    Args:
        path: the file; need not exist.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path

    def rows(self, kind: str | None = None) -> list[Row]:
        """Returns the rows of a kind, or all; a line that a kill cut short is left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return [row for row in found if kind in (None, row["kind"])]

    def append(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Adds a row."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = json.dumps({"kind": kind, "step": step, **values}) + "\n"
        before = self.path.read_bytes() if self.path.exists() else b""
        with self.path.open("a") as file:
            file.write("\n" + row if before and not before.endswith(b"\n") else row)

    def rewind(self, step: int) -> None:
        """Drops the training rows after a step, which are about to be made again."""
        if not self.path.exists():
            return
        kept = [row for row in self.rows() if row["kind"] != "train" or row["step"] <= step]
        with files.written_aside(self.path) as aside:
            aside.write_text("".join(json.dumps(row) + "\n" for row in kept))
