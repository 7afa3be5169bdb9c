"""The kind of machine that runs this, as far as speed depends on it."""

import os
import pathlib
import platform
import re
from collections.abc import Mapping
from typing import Any

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
"""Processor features, as Linux names them, on which the speed of matrix products depends."""

PROCESSORS = pathlib.Path("/proc/cpuinfo")
MEMORY = pathlib.Path("/proc/meminfo")


def kind() -> dict[str, Any]:
    """Returns what must agree on two machines before their speeds are compared.

    Returns:
        The architecture, the features among `FEATURES`, and the number of processors.
    """
    return {
        "architecture": platform.machine(),
        "features": features(PROCESSORS.read_text() if PROCESSORS.exists() else ""),
        "processors": processors(),
    }


def features(cpuinfo: str) -> list[str]:
    """Returns those of `FEATURES` that a machine has.

    Args:
        cpuinfo: the content of its /proc/cpuinfo; the first processor counts.
    """
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", cpuinfo, re.M)
    present = set(found[1].split()) if found else set()
    return [name for name in FEATURES if name in present]


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def summary() -> str:
    """Returns the architecture and the number of processors, for captions of tables."""
    return f"{platform.machine()}, {processors()} processors"


def memory() -> float:
    """Returns the memory of the machine, MiB."""
    total = re.search(r"^MemTotal:\s*(\d+) kB", MEMORY.read_text(), re.M)
    return int(total[1]) / 1024 if total else 0.0


def described(kind: Mapping[str, Any]) -> str:
    """Returns a kind of machine in words."""
    named = " ".join(kind["features"]) or "no features"
    return f"{kind['architecture']} with {named}, {kind['processors']} processors"
