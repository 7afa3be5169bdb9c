"""The files that a race leaves: its record, and the samples of contenders at milestones."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments import pages
from tfgen import files


def read(kept: pathlib.Path) -> dict[str, Any] | None:
    """Returns what a race left: versions, startup, rows; None if there was none."""
    record = kept / "race.json"
    return json.loads(record.read_text()) if record.exists() else None


def write(kept: pathlib.Path, found: Mapping[str, Any]) -> None:
    """Writes what `read` reads."""
    with files.written_aside(kept / "race.json") as aside:
        aside.write_text(json.dumps(found))


def place(kept: pathlib.Path, contender: str, update: int | None = None) -> pathlib.Path:
    """Returns the file of a contender's samples after an update; without one, of its workload."""
    ending = "" if update is None else f"-{update:06d}"
    return (kept / f"{pages.slug(contender)}{ending}.npz").resolve()


def samples(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns what a contender answered at a milestone: samples, and logs of its last update."""
    with np.load(path) as file:
        return dict(file)
