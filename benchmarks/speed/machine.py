"""What kind of machine this is, as far as speed depends on it."""

import os
import pathlib
import platform
import re

FEATURES = (
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_bf16",
    "asimd",
    "sve",
    "bf16",
)
"""Of processors, as Linux names them: what matrix products are made of."""

PROCESSORS = pathlib.Path("/proc/cpuinfo")
MEMORY = pathlib.Path("/proc/meminfo")


def kind() -> dict[str, object]:
    """What must be alike on two machines before their speeds are compared: architecture, features, processors."""
    return {
        "architecture": platform.machine(),
        "features": features(PROCESSORS.read_text() if PROCESSORS.exists() else ""),
        "processors": len(os.sched_getaffinity(0)),
    }


def features(said: str) -> list[str]:
    """Those of `FEATURES` that a machine has.

    Args:
        said: its /proc/cpuinfo.
    """
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", said, re.M)
    have = set(found[1].split()) if found else set()
    return [name for name in FEATURES if name in have]


def memory() -> float:
    """Of the machine, MiB."""
    return int(re.search(r"^MemTotal:\s*(\d+) kB", MEMORY.read_text(), re.M)[1]) / 1024


def described(kind: dict[str, object]) -> str:
    """A kind of machine in words."""
    return f"{kind['architecture']} with {' '.join(kind['features']) or 'no features'}, {kind['processors']} processors"
