"""The best checkpoint of a run, by a number that is logged or evaluated."""

import fnmatch
import pathlib
from collections.abc import Collection
from typing import Any

from absl import flags as absl_flags

from tfgen.errors import UserError
from trainers.run.metrics import Metrics

DIRECTIONS = ("lower", "higher")
HIGHER = ("*accuracy*", "acceptance", "log_likelihood*")
"""Logged numbers of which a better model has a higher value; of all others, a lower one."""

BEST = "best"
"""What `--step` takes in the place of a number."""


class StepParser(absl_flags.ArgumentParser):
    """A parser of `--step`: updates, or `best`."""

    syntactic_help = "a number of updates, or best"

    def parse(self, argument):
        """Returns the updates as a number, or `best`.

        Raises:
            ValueError: if it is neither.
        """
        if argument == BEST:
            return BEST
        try:
            step = int(argument)
        except (TypeError, ValueError):
            step = -1
        if step < 0:
            raise ValueError(f"expected {self.syntactic_help} and found {argument}")
        return step

    def flag_type(self):
        """Returns the type's name."""
        return "int or best"


def define_step(values: absl_flags.FlagValues, module: str, purpose: str) -> None:
    """Defines the flag `--step` of a command that uses a checkpoint.

    Args:
        values: where to.
        module: the command's.
        purpose: what the checkpoint is for: `use`, `measure` or `export`.
    """
    text = (
        f"The checkpoint to {purpose}, by its updates, or best by the run's --keep_best; the "
        "newest by default."
    )
    where: dict[str, Any] = {"flag_values": values, "module_name": module}
    serializer: absl_flags.ArgumentSerializer = absl_flags.ArgumentSerializer()
    absl_flags.DEFINE(StepParser(), "step", None, text, serializer=serializer, **where)


def parsed(keep_best: str) -> tuple[str, str | None]:
    """Returns the name and the direction, if one is given, of `NAME` or `NAME:DIRECTION`.

    Raises:
        UserError: if the direction is none.
    """
    name, colon, direction = keep_best.partition(":")
    if not name or (colon and direction not in DIRECTIONS):
        raise UserError(
            "--keep_best: expected the name of a number, such as reconstruction_error or "
            f"accuracy:higher, and found {keep_best}"
        )
    return name, direction or None


def check(keep_best: str, logged: Collection[str]) -> None:
    """Raises UserError unless a value of `--keep_best` names a number with a direction.

    Args:
        keep_best: the flag's value.
        logged: names of the numbers that training logs.
    """
    name, _ = parsed(keep_best)
    if "/" not in name and name not in logged:
        raise UserError(
            f"--keep_best: expected one of {', '.join(logged)}, or a measurement's value such as "
            f"fid/distance, and found {name}"
        )
    direction_of(keep_best)


def direction_of(keep_best: str) -> str:
    """Returns whether a better model has a `lower` or a `higher` value.

    Raises:
        UserError: if there is no such measurement, or its value is no quality.
    """
    name, given = parsed(keep_best)
    if given is not None:
        return given
    measurement, slash, value = name.partition("/")
    if not slash:
        return "higher" if any(fnmatch.fnmatchcase(name, p) for p in HIGHER) else "lower"
    # imports every measurement, for which most runs need not wait
    from trainers import evaluate

    evaluate.check_names([measurement])
    try:
        found = evaluate.measurements()[measurement].direction(value)
    except KeyError:
        raise UserError(f"--keep_best: {measurement} measures no {value}") from None
    if found not in DIRECTIONS:
        raise UserError(
            f"--keep_best: expected a direction for {name}, which is neither better high nor low: "
            f"{name}:lower or {name}:higher"
        )
    return found


def values_of(metrics: Metrics, name: str) -> dict[int, float]:
    """Returns the newest value of a number at each step, logged or evaluated."""
    logged = {row["step"]: row[name] for row in metrics.rows("train") if name in row}
    rows = [row for row in metrics.rows("evaluation") if row.get("metric") == name]
    return logged | {row["step"]: row["value"] for row in rows}


def step_of(metrics: Metrics, keep_best: str, steps: Collection[int]) -> int | None:
    """Returns the best of some steps, the earlier of two alike; None if none has a value.

    Args:
        metrics: of the run.
        keep_best: the flag's value.
        steps: of the checkpoints there are.
    """
    name, _ = parsed(keep_best)
    known = values_of(metrics, name)
    sign = 1 if direction_of(keep_best) == "lower" else -1
    return min(
        (s for s in sorted(steps) if s in known), key=lambda s: sign * known[s], default=None
    )


def workdir_step(workdir: pathlib.Path, keep_best: str | None, steps: Collection[int]) -> int:
    """Returns the step that `--step=best` means.

    Raises:
        UserError: if the run keeps no best checkpoint, or there is no value yet.
    """
    if keep_best is None:
        raise UserError(
            f"--step: expected a number, since {workdir} was trained without --keep_best, and "
            "found best"
        )
    found = step_of(Metrics(workdir / "metrics.jsonl"), keep_best, steps)
    if found is None:
        kept = ", ".join(map(str, sorted(steps)))
        raise UserError(
            f"--step: expected a checkpoint of {workdir} with a value of {keep_best} and found "
            f"none; it keeps {kept}"
        )
    return found
