"""How the cost of learning grows: in Langevin steps, chains, pixels, width and replicas, and where memory ends.

    python -m benchmarks.speed.growth [--rounds=5] [--sweeps=steps,chains,...] [--page=benchmarks/results.md]

What is timed is an iteration of the generative ConvNet's learning on the texture net: Langevin steps of all chains,
then an update by as many images. One size at a time is some multiple of what `--steps`, `--chains`, `--side` and
`--width` say; each size is a warm process of its own, and those of a sweep are timed in turn, A B C A B C ... Through
the medians goes a line, both axes logarithmic: seconds = constant x size^exponent. Replicas are logical devices of this
machine, with `--chains` each. Peak memory is fitted by a constant and so much a pixel of all chains together.
"""

import math
import os
import pathlib
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from matplotlib.figure import Figure
from scipy import stats
from tqdm import tqdm

from benchmarks.speed import machine, options, processes
from experiments import pages
from tfgen import files
from tfgen.errors import UserError
from tfgen.version import __version__
from trainers.run import commands

SWEEPS = {
    "steps": (1, 2, 4, 8),
    "chains": (1, 2, 4, 8),
    "side": (1, 1.5, 2, 3),
    "width": (0.5, 1, 2, 4),
    "replicas": (1, 2, 4),
}
"""Multiples of what the flags say; of one replica."""
LABELS = {
    "steps": "Langevin steps",
    "chains": "chains",
    "side": "pixels",
    "width": "width",
    "replicas": "replicas",
}
EXAMPLE = (224, 3)
"""Side and channels of the images that a machine's last chains are counted in."""


class Point(NamedTuple):
    """What one size costs."""

    size: dict[str, float]
    seconds: list[float]
    """A round each."""
    peak: float
    """MiB."""


class Fit(NamedTuple):
    """A line through points."""

    slope: float
    error: float
    """The slope's standard error."""
    intercept: float


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.growth"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed iterations of each size.", lower_bound=1, **where)
    absl_flags.DEFINE_list("sweeps", list(SWEEPS), f"Some of {','.join(SWEEPS)}.", **where)
    absl_flags.DEFINE_integer("steps", 10, "Langevin steps an iteration.", lower_bound=1, **where)
    absl_flags.DEFINE_integer("chains", 4, "Chains, and images observed.", lower_bound=1, **where)
    absl_flags.DEFINE_integer("side", 64, "Of images, pixels.", lower_bound=24, **where)
    absl_flags.DEFINE_float(
        "width", 0.5, "Factor on the numbers of filters.", lower_bound=0.04, **where
    )
    options.define_timing(where)
    absl_flags.DEFINE_string(
        "picture", "docs/images/growth.png", "Where the lines are drawn.", **where
    )
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Measures every sweep, prints the table, draws the lines."""
    for name in set(values.sweeps) - set(SWEEPS):
        raise UserError(f"--sweeps: expected some of {', '.join(SWEEPS)} and found {name}")
    options.pin(values)
    found = {
        name: measured(sizes(name, values), values) for name in tqdm(values.sweeps, unit="sweep")
    }
    draw(found, pathlib.Path(values.picture))
    text = report(found, values)
    print(text)
    if values.page:
        pages.put(pathlib.Path(values.page), "growth", text)


def sizes(sweep: str, values: absl_flags.FlagValues) -> list[dict[str, float]]:
    """All sizes of a sweep: the flags', but one."""
    base = {"replicas": 1} | {name: values[name].value for name in SWEEPS if name != "replicas"}
    whole = int if sweep != "width" else float
    return [base | {sweep: whole(base[sweep] * factor)} for factor in SWEEPS[sweep]]


def measured(asked: Sequence[Mapping[str, float]], values: absl_flags.FlagValues) -> list[Point]:
    """What sizes cost, timed in turn."""
    commands_of = {
        str(number): processes.command_of(
            "tfgen_growth", *(f"--{name}={value}" for name, value in size.items())
        )
        for number, size in enumerate(asked)
    }
    with processes.started(commands_of) as contenders:
        seconds = processes.interleaved(contenders, values.rounds, values.clock)
        peaks = [contender.peak for contender in contenders.values()]
    return [
        Point(dict(size), *cost)
        for size, cost in zip(asked, zip(seconds.values(), peaks, strict=True), strict=True)
    ]


def axis(sweep: str, points: Sequence[Point]) -> list[float]:
    """What the cost is said to grow in: pixels where sides grow."""
    return [point.size[sweep] ** (2 if sweep == "side" else 1) for point in points]


def power_law(sweep: str, points: Sequence[Point]) -> Fit:
    """The line through the medians' logarithms."""
    seconds = [statistics.median(point.seconds) for point in points]
    found = stats.linregress(np.log(axis(sweep, points)), np.log(seconds))
    return Fit(found.slope, found.stderr, found.intercept)


def memory_law(points: Sequence[Point]) -> Fit:
    """The line through peak memory, MiB, over millions of pixels of all chains together."""
    pixels = [
        point.size["chains"] * point.size["replicas"] * point.size["side"] ** 2 / 1e6
        for point in points
    ]
    found = stats.linregress(pixels, [point.peak for point in points])
    return Fit(found.slope, found.stderr, found.intercept)


def report(found: Mapping[str, Sequence[Point]], values: absl_flags.FlagValues) -> str:
    """The table as Markdown."""
    given = ["rounds", "steps", "chains", "side", "width"]
    words = [f"--{name}={values[name].value:g}" for name in given] + [f"--sweeps={','.join(found)}"]
    words += options.said(values)
    place = pathlib.Path(values.page).parent if values.page else pathlib.Path()
    lines = [
        "# How the cost grows",
        "",
        f"Command: `python -m benchmarks.speed.growth {' '.join(words)}`; tfgen {__version__}, {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors, float32. Seconds an iteration of the generative ConvNet's "
        f"learning on the texture net, medians of {values.rounds} interleaved ones; seconds = constant x "
        "size^exponent, the exponent with its standard error.",
        "",
        "| grows in | sizes | seconds | constant | exponent |",
        "|---|---|---|---|---|",
    ]
    for name, points in found.items():
        fit = power_law(name, points)
        shown = ", ".join(f"{size:g}" for size in axis(name, points))
        seconds = ", ".join(f"{statistics.median(point.seconds):.3g}" for point in points)
        constant = math.exp(fit.intercept)
        lines.append(
            f"| {LABELS[name]} | {shown} | {seconds} | {constant:.2g} | {fit.slope:.2f} ± {fit.error:.2f} |"
        )
    lines += ["", *memory_lines(found), f"![]({os.path.relpath(values.picture, place)})"]
    return "\n".join(lines)


def memory_lines(found: Mapping[str, Sequence[Point]]) -> list[str]:
    """Where memory ends, if chains or sides grew."""
    points = [point for name in ("chains", "side") for point in found.get(name, [])]
    if not points:
        return []
    fit, whole = memory_law(points), machine.memory()
    side, channels = EXAMPLE
    words = [
        f"Peak memory is {fit.intercept:.0f} MiB and {fit.slope:.0f} ± {fit.error:.0f} MiB for each million pixels of "
        f"all chains together, at width {points[0].size['width']:g}"
    ]
    if fit.slope > 0:
        last = (whole - fit.intercept) / (fit.slope * side**2 / 1e6)
        words.append(
            f". Extrapolated, not measured: this machine's {whole / 1024:.0f} GiB end at {last:,.0f} chains of "
            f"{side}x{side}x{channels}"
        )
    return ["".join(words) + ".", ""]


def draw(found: Mapping[str, Sequence[Point]], path: pathlib.Path) -> None:
    """Each sweep's points and line."""
    figure = Figure(figsize=(2.6 * len(found), 2.6), layout="constrained")
    for axes, (name, points) in zip(
        figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True
    ):
        fit, at = power_law(name, points), np.array(axis(name, points))
        seconds = [statistics.median(point.seconds) for point in points]
        axes.loglog(at, seconds, "o")
        axes.loglog(at, np.exp(fit.intercept) * at**fit.slope, label=f"exponent {fit.slope:.2f}")
        axes.set(
            xlabel=LABELS[name],
            ylabel="seconds an iteration" if name == next(iter(found)) else None,
        )
        axes.minorticks_off()
        axes.set_xticks(at, [f"{size:g}" for size in at], rotation=30)
        axes.set_yticks(seconds, [f"{s:.2g}" for s in seconds])
        axes.legend(frameon=False)
    with files.written_aside(path) as aside:
        figure.savefig(aside, dpi=110)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
