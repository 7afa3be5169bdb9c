"""Memory of processes, as Linux tells it."""

import pathlib
import re
from typing import NamedTuple


class Held(NamedTuple):
    """What a process holds, MiB; zeros once it has ended."""

    resident: float
    """Now."""
    peak: float
    """The most so far."""


def held(process: int) -> Held:
    """Reads both at once, so that the peak is never below what is held now.

    Args:
        process: its id.
    """
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        status = ""
    said = dict(re.findall(r"^(\w+):\s*(\d+) kB", status, re.M))
    # A process that has ended but was not waited for has a status, without these lines.
    return Held(*(int(said.get(name, 0)) / 1024 for name in ("VmRSS", "VmHWM")))
