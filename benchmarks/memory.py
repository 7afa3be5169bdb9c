"""Memory of processes, as Linux tells it."""

import pathlib
import re


def resident(process: int) -> float:
    """What a process holds now, MiB; 0 once it has ended.

    Args:
        process: its id.
    """
    return _said(process, "VmRSS")


def peak(process: int) -> float:
    """The most that a process has held so far, MiB; 0 once it has ended."""
    return _said(process, "VmHWM")


def _said(process: int, what: str) -> float:
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(rf"^{what}:\s*(\d+) kB", status, re.M)
    return int(found[1]) / 1024 if found else 0.0  # a process that has ended but was not waited for says nothing
