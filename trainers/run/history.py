"""What changes in the flags of a run from one command to the next."""

import sys
from typing import Any

from absl import flags as absl_flags

from trainers.run import flags
from trainers.run.metrics import Metrics

KIND = "flags"
"""The kind of the rows of metrics.jsonl that record changes."""

PLACES = ("workdir",)
"""Flags that say where a run is, not what it does."""

Changes = dict[str, list[Any]]
"""The value before and the value now, by the flag's name."""


def changes(before: absl_flags.FlagValues, now: absl_flags.FlagValues) -> Changes:
    """Returns the flags of a run in which two commands differ.

    Args:
        before: as the work directory has them.
        now: as they are given.
    """
    found = {}
    for name in flags.own(now):
        values = [before[name].value if name in before else None, now[name].value]
        if name not in PLACES and values[0] != values[1]:
            found[name] = values
    return found


def record(metrics: Metrics, step: int, found: Changes, workdir: str) -> None:
    """Prints changed flags and adds a row of them to metrics.jsonl.

    Args:
        metrics: of the run.
        step: updates made before.
        found: the changes; without any, nothing is done.
        workdir: the run's.
    """
    if not found:
        return
    words = ", ".join(_said(name, *values) for name, values in found.items())
    print(f"{workdir}: goes on from step {step} with {words}", file=sys.stderr)
    row = {"changed": found}
    rows = metrics.rows(KIND)
    # a kill between this row and the new flags.cfg leaves the row
    if not rows or (rows[-1]["step"], rows[-1]["changed"]) != (step, found):
        metrics.append(KIND, step, row)


def _said(name: str, then: Any, now: Any) -> str:
    return f"--{name}={_text(now)} (before: {_text(then)})"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)
