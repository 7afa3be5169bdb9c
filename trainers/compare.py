"""Ranks trained models by a measurement that was made of each under one protocol; refuses others.

    python -m trainers.compare --workdirs=DIR,DIR[,DIR...] --metrics=NAME[,NAME...]

Runs that differ in nothing but their seed are one row: mean and standard deviation over the seeds. NAME is a
measurement's value as metrics.jsonl has it, such as fid/distance.
"""

import pathlib
import statistics
from typing import NamedTuple

from absl import flags as absl_flags

from tfgen.errors import UserError
from trainers.run import commands, experiment
from trainers.run.metrics import Metrics, Row

HIGHER = ("accuracy", "precision", "recall", "score", "auroc")
"""Beginnings of the names of values of which more is better."""

SHARED = (
    "dataset",
    "image_size",
    "channels",
    "patch_size",
    "max_images",
    "test_fraction",
    "validation",
    "missing",
    "steps",
    "batch_size",
    "nets",
)
"""Flags in which compared runs must agree."""


class Measured(NamedTuple):
    """The values of one metric for one group of runs."""

    name: str
    values: list[float]
    protocol: dict

    def __str__(self):
        mean = f"{statistics.mean(self.values):.4g}"
        return mean if len(self.values) == 1 else f"{mean} ± {statistics.stdev(self.values):.2g}"


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "trainers.compare"}
    absl_flags.DEFINE_list("workdirs", [], "The runs to compare.", **where)
    absl_flags.DEFINE_list(
        "metrics", [], "Values of measurements, such as reconstruction/test_mse.", **where
    )


def main(values: absl_flags.FlagValues) -> None:
    """Compares."""
    if len(values.workdirs) < 2 or not values.metrics:
        raise UserError("--workdirs: expected at least two runs, and --metrics: at least one value")
    workdirs = [pathlib.Path(workdir) for workdir in values.workdirs]
    for metric in values.metrics:
        print(table(metric, ranked(metric, workdirs)))


def ranked(metric: str, workdirs: list[pathlib.Path]) -> list[Measured]:
    """Groups of runs, best first.

    Args:
        metric: a value of a measurement.
        workdirs: of runs that have it.

    Raises:
        UserError: if one has not, or if runs or protocols are not comparable.
    """
    read = {workdir: experiment.read(workdir) for workdir in workdirs}
    _refuse_different(read)
    groups: dict[str, Measured] = {}
    for workdir, run in read.items():
        row = newest(metric, workdir)
        group = groups.setdefault(_group(run), Measured(run.algorithm, [], row["protocol"]))
        group.values.append(row["value"])
    _refuse_different_protocols(metric, [newest(metric, w)["protocol"] for w in workdirs])
    best_first = sorted(groups.values(), key=lambda measured: statistics.mean(measured.values))
    return best_first[::-1] if metric.partition("/")[2].startswith(HIGHER) else best_first


def newest(metric: str, workdir: pathlib.Path) -> Row:
    """The last row of a measurement's value."""
    rows = [
        row
        for row in Metrics(workdir / "metrics.jsonl").rows("evaluation")
        if row["metric"] == metric
    ]
    if not rows:
        raise UserError(
            f"--metrics: expected {metric} of {workdir} and found none; run trainers.evaluate first"
        )
    return rows[-1]


def table(metric: str, measured: list[Measured]) -> str:
    """Markdown: a row a group, the best first, and the protocol below."""
    lines = [f"| | {metric} | runs |", "|---|---|---|"]
    lines += [f"| {group.name} | {group} | {len(group.values)} |" for group in measured]
    protocol = ", ".join(f"{key} {value}" for key, value in measured[0].protocol.items())
    return "\n".join([*lines, "", f"Protocol: {protocol}.", ""])


def _group(run: absl_flags.FlagValues) -> str:
    """What runs that differ in nothing but their seed share."""
    return "".join(
        sorted(
            f"{name}={run[name].value};"
            for name in run
            if name not in ("seed", "workdir", "flagfile")
        )
    )


def _refuse_different(read: dict[pathlib.Path, absl_flags.FlagValues]) -> None:
    (first, one), *others = read.items()
    for workdir, other in others:
        for name in SHARED:
            if one[name].value != other[name].value:
                raise UserError(
                    f"--workdirs: expected runs with the same --{name} and found {one[name].value} in {first} and "
                    f"{other[name].value} in {workdir}"
                )


def _refuse_different_protocols(metric: str, protocols: list[dict]) -> None:
    for protocol in protocols[1:]:
        different = {
            key for key in protocols[0] | protocol if protocols[0].get(key) != protocol.get(key)
        }
        if different:
            name = sorted(different)[0]
            raise UserError(
                f"--metrics: expected {metric} under one protocol and found {name} {protocols[0].get(name)} and "
                f"{protocol.get(name)}; measure again with the same"
            )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
