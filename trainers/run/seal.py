"""The seal of a run's flags.cfg: its last line, by which a file that was changed or cut is seen.

A flag that is missing would fall back to its default, and the model be another.
"""

import json
import pathlib

from tfgen.errors import UserError
from tfgen.models import saved
from trainers.run import records

MARK = "# Written by tfgen; do not edit. "
"""What the seal begins with; a hash of the lines above follows."""

RECORD = {"sealed": True}
"""Says in run.json that flags.cfg has a seal and checkpoints have records."""


def sealed(flags: str) -> str:
    """Returns the text of flags.cfg: flags, a line each, and their seal."""
    return f"{flags}{MARK}{records.hash_of(flags)}\n"


def run_record() -> str:
    """Returns the text of run.json: the code that made the run, and that its flags are sealed."""
    return json.dumps(saved.describe_run() | RECORD)


def is_expected(workdir: pathlib.Path) -> bool:
    """Tells whether the files of a run say when they are damaged; those of old runs do not."""
    try:
        found = json.loads((workdir / saved.RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and RECORD.items() <= found.items()


def check(workdir: pathlib.Path) -> None:
    """Raises UserError unless a run's flags are as they were written."""
    place = workdir / saved.FLAGS
    text = place.read_text(encoding="utf-8", errors="replace")
    flags, _, _ = text.rpartition(MARK)
    if text != sealed(flags) and (MARK in text or is_expected(workdir)):
        raise UserError(
            f"--workdir: expected {place} to be as training wrote it and found it changed or cut "
            "short; put the old one back, or train anew"
        )
