"""The memory that a process holds, as Linux reports it."""

import pathlib
import re
from typing import NamedTuple


class Held(NamedTuple):
    """The memory of a process; zeros once it has ended.

    Attributes:
        resident: MiB held now.
        peak: the most MiB held so far.
    """

    resident: float
    peak: float


def held(process: int) -> Held:
    """Reads the memory of a process.

    Both values are read at once, so that the peak is never below what is held now.

    Args:
        process: its id.
    """
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        status = ""
    sizes = dict(re.findall(r"^(\w+):\s*(\d+) kB", status, re.M))
    # a process that ended and was not waited for has a status, without these lines
    resident, peak = (int(sizes.get(name, 0)) / 1024 for name in ("VmRSS", "VmHWM"))
    return Held(resident, peak)
