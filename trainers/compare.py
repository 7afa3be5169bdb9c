"""Ranks trained models by measurements made under one protocol; refuses others.

    python -m trainers.compare --workdirs=DIR,DIR[,DIR...] --metrics=NAME[,NAME...]

Runs that differ in nothing but their seed are one row: mean and standard deviation over the seeds.
NAME is a measurement's value as metrics.jsonl has it, such as fid/distance. Values that are no
quality of a model, such as energies, are listed in the runs' order.
"""

import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from absl import flags as absl_flags

from tfgen.errors import UserError
from tfgen.evaluation.base import HIGHER, NEITHER
from trainers import evaluate
from trainers.run import commands, identity
from trainers.run.metrics import Metrics, Row

SHARED = (
    "dataset",
    "image_size",
    "channels",
    "patch_size",
    "clip_length",
    "clip_stride",
    "max_images",
    "test_fraction",
    "validation",
    "missing",
    "steps",
    "batch_size",
    "nets",
)
"""Flags in which compared runs must agree."""

INDIFFERENT = ("seed", "workdir", "flagfile", "verbose")
"""Flags in which the runs of one row may differ."""

Settings = dict[str, Any]
"""The values of a run's flags, by name."""


class Measured(NamedTuple):
    """The values of one metric for one group of runs."""

    name: str
    """The algorithm, and the flags in which the groups of this algorithm differ."""
    algorithm: str
    values: list[float]
    protocol: dict[str, Any]

    def __str__(self):
        mean = f"{statistics.mean(self.values):.4g}"
        return mean if len(self.values) == 1 else f"{mean} ± {statistics.stdev(self.values):.2g}"


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where: dict[str, Any] = {"flag_values": values, "module_name": "trainers.compare"}
    text = "Values of measurements, such as reconstruction/test_mse."
    absl_flags.DEFINE_list("workdirs", [], "The runs to compare.", **where)
    absl_flags.DEFINE_list("metrics", [], text, **where)


def main(values: absl_flags.FlagValues) -> None:
    """Compares."""
    if len(values.workdirs) < 2 or not values.metrics:
        raise UserError("--workdirs: expected at least two runs, and --metrics: at least one value")
    workdirs = [pathlib.Path(workdir) for workdir in values.workdirs]
    for metric in values.metrics:
        print(table(metric, ranked(metric, workdirs)))


def ranked(metric: str, workdirs: Sequence[pathlib.Path]) -> list[Measured]:
    """Groups runs that differ in nothing but their seed, and ranks the groups.

    Args:
        metric: a value of a measurement.
        workdirs: of runs that have it.

    Returns:
        The groups, the best first; in the order of the runs if the value is no quality of a model.

    Raises:
        UserError: if a run has no such value, or runs or protocols are not comparable.
    """
    better = direction(metric)
    runs = {workdir: identity.flags_of(workdir) for workdir in workdirs}
    _refuse_different(runs)
    rows = {workdir: newest(metric, workdir) for workdir in workdirs}
    _refuse_different_protocols(metric, [row["protocol"] for row in rows.values()])
    groups: dict[str, Measured] = {}
    # the names of groups are as different as their flags
    settings = {workdir: _settings(run) for workdir, run in runs.items()}
    for workdir, name in _names(settings).items():
        row = rows[workdir]
        algorithm = runs[workdir].algorithm
        group = groups.setdefault(name, Measured(name, algorithm, [], row["protocol"]))
        group.values.append(row["value"])
    if better == NEITHER:
        return list(groups.values())
    mean = {name: statistics.mean(group.values) for name, group in groups.items()}
    best_first = sorted(groups, key=lambda name: mean[name], reverse=better == HIGHER)
    return [groups[name] for name in best_first]


def direction(metric: str) -> str:
    """Returns whether a better model has a `higher` or a `lower` value, or `neither`.

    Args:
        metric: a value of a measurement, such as fid/distance.

    Raises:
        UserError: if there is no such measurement, or it yields no such value.
    """
    name, _, value = metric.partition("/")
    known = evaluate.measurements()
    if name not in known:
        raise UserError(
            f"--metrics: expected values of {', '.join(known)}, such as fid/distance, and found "
            f"{metric}"
        )
    try:
        return known[name].direction(value)
    except KeyError as error:
        raise UserError(
            f"--metrics: expected a value that {name} yields and found {metric}"
        ) from error


def newest(metric: str, workdir: pathlib.Path) -> Row:
    """Returns the last row of a measurement's value.

    Raises:
        UserError: if there is none.
    """
    measured = Metrics(workdir / "metrics.jsonl").rows("evaluation")
    rows = [row for row in measured if row["metric"] == metric]
    if not rows:
        raise UserError(
            f"--metrics: expected {metric} of {workdir} and found none; run trainers.evaluate first"
        )
    return rows[-1]


def table(metric: str, measured: Sequence[Measured]) -> str:
    """Returns a Markdown table with a row a group, and the protocol below."""
    lines = [f"| | {metric} | runs |", "|---|---|---|"]
    lines += [f"| {group.name} | {group} | {len(group.values)} |" for group in measured]
    stated = [f"{key} {value}" for key, value in measured[0].protocol.items()]
    lines += ["", f"Protocol: {', '.join(stated)}."]
    better = direction(metric)
    if better == NEITHER:
        lines.append(f"Not ranked: {metric} is no quality of a model.")
    else:
        lines.append(f"The best comes first: {better} is better.")
    return "\n".join([*lines, ""])


def _settings(run: absl_flags.FlagValues) -> Settings:
    """Returns what runs of one row must agree in."""
    return {name: run[name].value for name in run if name not in INDIFFERENT}


def _names(settings: Mapping[pathlib.Path, Settings]) -> dict[pathlib.Path, str]:
    """Returns the name of each run's group: the algorithm, and what tells its groups apart."""
    found = {}
    for workdir, own in settings.items():
        algorithm = own["algorithm"]
        alike = [other for other in settings.values() if other["algorithm"] == algorithm]
        different = [name for name in own if any(other[name] != own[name] for other in alike)]
        # the algorithm stands before its hyperparameters already
        short = [f"{name.removeprefix(f'{algorithm}.')}={own[name]}" for name in different]
        found[workdir] = f"{algorithm} ({', '.join(short)})" if short else algorithm
    return found


def _refuse_different(runs: Mapping[pathlib.Path, absl_flags.FlagValues]) -> None:
    (first, one), *others = runs.items()
    for workdir, other in others:
        for name in SHARED:
            if one[name].value != other[name].value:
                raise UserError(
                    f"--workdirs: expected runs with the same --{name} and found "
                    f"{one[name].value} in {first} and {other[name].value} in {workdir}"
                )


def _refuse_different_protocols(metric: str, protocols: Sequence[dict[str, Any]]) -> None:
    first, *others = protocols
    for other in others:
        names = sorted(first.keys() | other.keys())
        different = [name for name in names if first.get(name) != other.get(name)]
        if different:
            name = different[0]
            raise UserError(
                f"--metrics: expected {metric} under one protocol and found {name} "
                f"{first.get(name)} and {other.get(name)}; measure again with the same"
            )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
