"""Measures how the cost of learning grows with its sizes, and where memory ends.

    python -m benchmarks.speed.growth [--rounds=5] [--sweeps=steps,chains,...] [--page=PAGE]

What is timed is an iteration of the generative ConvNet's learning on the texture net: Langevin
steps of all chains, then an update on as many images. A sweep varies one size, as multiples of what
--steps, --chains, --side or --width says; a sweep of replicas uses logical devices of this machine,
with --chains each. Every size is a warm process of its own, and those of a sweep are timed in turn,
A B C A B C ... A line is fitted to the medians in logarithms: seconds = constant x size^exponent.
Peak memory is fitted by a constant plus so much for each pixel of all chains together.
"""

import math
import os
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import flags as absl_flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats
from tqdm import tqdm

from benchmarks.speed import machine, options, processes
from experiments import command_flags, pages
from tfgen import files
from tfgen.version import __version__
from trainers.run import commands

SWEEPS = {
    "steps": (1, 2, 4, 8),
    "chains": (1, 2, 4, 8),
    "side": (1, 1.5, 2, 3),
    "width": (0.5, 1, 2, 4),
    "replicas": (1, 2, 4),
}
"""Multiples of what the flags say; for replicas, of one."""
LABELS = {
    "steps": "Langevin steps",
    "chains": "chains",
    "side": "pixels",
    "width": "width",
    "replicas": "replicas",
}
COLUMNS = ("grows in", "sizes", "seconds", "constant", "exponent")
EXAMPLE = (224, 3)
"""Side and channels of the images for which the largest number of chains is extrapolated."""

Size = dict[str, float]
"""A value for each key of `SWEEPS`."""


class Point(NamedTuple):
    """The cost of one size.

    Attributes:
        size: the size.
        seconds: of an iteration, in each round.
        peak: MiB that the process held at the most.
    """

    size: Size
    seconds: list[float]
    peak: float


class Fit(NamedTuple):
    """A line through points.

    Attributes:
        slope: of the line.
        error: standard error of the slope.
        intercept: of the line.
    """

    slope: float
    error: float
    intercept: float


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.growth")
    options.define_rounds(place, 5, "Timed iterations of each size.")
    absl_flags.DEFINE_list("sweeps", list(SWEEPS), f"Some of {','.join(SWEEPS)}.", **place)
    absl_flags.DEFINE_integer("steps", 10, "Langevin steps an iteration.", lower_bound=1, **place)
    absl_flags.DEFINE_integer("chains", 4, "Chains, and images observed.", lower_bound=1, **place)
    absl_flags.DEFINE_integer("side", 64, "Side of the images, pixels.", lower_bound=24, **place)
    text = "Factor on the numbers of filters."
    absl_flags.DEFINE_float("width", 0.5, text, lower_bound=0.04, **place)
    options.define_timing(place)
    text = "Where the lines are drawn."
    absl_flags.DEFINE_string("picture", "docs/images/growth.png", text, **place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Measures every sweep, prints the table and draws the lines."""
    command_flags.require_known("sweeps", values.sweeps, SWEEPS)
    options.pin(values)
    found = {}
    for name in tqdm(values.sweeps, unit="sweep"):
        found[name] = measured(sizes(name, values), values)
    draw(found, pathlib.Path(values.picture))
    pages.publish("growth", report(found, values), values.page)


def sizes(sweep: str, values: absl_flags.FlagValues) -> list[Size]:
    """Returns the sizes of a sweep, which differ from the flags' in one value."""
    base = {
        "steps": values.steps,
        "chains": values.chains,
        "side": values.side,
        "width": values.width,
        "replicas": 1,
    }
    found = []
    for factor in SWEEPS[sweep]:
        value = base[sweep] * factor
        found.append(base | {sweep: value if sweep == "width" else int(value)})
    return found


def measured(asked: Sequence[Size], values: absl_flags.FlagValues) -> list[Point]:
    """Times an iteration of each size in turn, in processes of their own."""
    commands_by_number = {}
    for number, size in enumerate(asked):
        words = [f"--{name}={value}" for name, value in size.items()]
        commands_by_number[str(number)] = processes.command_of("tfgen_growth", *words)
    with processes.started(commands_by_number) as contenders:
        seconds = processes.interleaved(contenders, values.rounds, values.clock)
        peaks = [contender.peak for contender in contenders.values()]
    costs = zip(asked, seconds.values(), peaks, strict=True)
    return [Point(dict(size), times, peak) for size, times, peak in costs]


def axis(sweep: str, points: Sequence[Point]) -> list[float]:
    """Returns the sizes that a sweep's cost is fitted in: pixels where sides grow."""
    power = 2 if sweep == "side" else 1
    return [point.size[sweep] ** power for point in points]


def power_law(sweep: str, points: Sequence[Point]) -> Fit:
    """Fits a line to the logarithms of sizes and median seconds."""
    return _line(np.log(axis(sweep, points)), np.log(_medians(points)))


def memory_law(points: Sequence[Point]) -> Fit:
    """Fits a line to peak memory, MiB, over millions of pixels of all chains together."""
    pixels = []
    for point in points:
        chains = point.size["chains"] * point.size["replicas"]
        pixels.append(chains * point.size["side"] ** 2 / 1e6)
    return _line(pixels, [point.peak for point in points])


def _line(x: ArrayLike, y: ArrayLike) -> Fit:
    found = stats.linregress(x, y)
    return Fit(found.slope, found.stderr, found.intercept)


def _medians(points: Sequence[Point]) -> list[float]:
    return [statistics.median(point.seconds) for point in points]


def report(found: Mapping[str, Sequence[Point]], values: absl_flags.FlagValues) -> str:
    """Returns the table in Markdown.

    Args:
        found: points, by sweep.
        values: the flags.
    """
    given = ["rounds", "steps", "chains", "side", "width"]
    words = [f"--{name}={values[name].value:g}" for name in given] + [f"--sweeps={','.join(found)}"]
    words += options.timing_words(values)
    rows = []
    for name, points in found.items():
        fit = power_law(name, points)
        shown = ", ".join(f"{size:g}" for size in axis(name, points))
        seconds = ", ".join(f"{median:.3g}" for median in _medians(points))
        constant, exponent = f"{math.exp(fit.intercept):.2g}", f"{fit.slope:.2f} ± {fit.error:.2f}"
        rows.append([LABELS[name], shown, seconds, constant, exponent])
    # links are relative to the page that holds them
    directory = pathlib.Path(values.page).parent if values.page else pathlib.Path()
    caption = (
        f"Command: `python -m benchmarks.speed.growth {' '.join(words)}`; tfgen {__version__}, "
        f"{machine.summary()}, float32. Seconds an iteration of the generative ConvNet's learning "
        f"on the texture net, medians of {values.rounds} interleaved ones; seconds = constant x "
        "size^exponent, the exponent with its standard error."
    )
    picture = f"![]({os.path.relpath(values.picture, directory)})"
    table = pages.table(COLUMNS, rows)
    parts = ["# How the cost grows", caption, table, memory_sentences(found), picture]
    return "\n\n".join(part for part in parts if part)


def memory_sentences(found: Mapping[str, Sequence[Point]]) -> str:
    """Returns where memory ends, in words; "" unless a sweep of chains or sides was measured."""
    points = [point for name in ("chains", "side") for point in found.get(name, [])]
    if not points:
        return ""
    fit, whole = memory_law(points), machine.memory()
    said = (
        f"Peak memory is {fit.intercept:.0f} MiB and {fit.slope:.0f} ± {fit.error:.0f} MiB "
        f"for each million pixels of all chains together, at width {points[0].size['width']:g}."
    )
    # noise may outweigh the growth of small runs
    if fit.slope <= 0:
        return said
    side, channels = EXAMPLE
    last = (whole - fit.intercept) / (fit.slope * side**2 / 1e6)
    return (
        f"{said} Extrapolated, not measured: this machine's {whole / 1024:.0f} GiB end at "
        f"{last:,.0f} chains of {side}x{side}x{channels}."
    )


def draw(found: Mapping[str, Sequence[Point]], path: pathlib.Path) -> None:
    """Draws each sweep's points and line.

    Args:
        found: points, by sweep.
        path: of the picture.
    """
    figure = Figure(figsize=(2.6 * len(found), 2.6), layout="constrained")
    all_axes = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (name, points) in zip(all_axes, found.items(), strict=True):
        _draw_sweep(axes, name, points)
    all_axes[0].set_ylabel("seconds an iteration")
    with files.written_aside(path) as aside:
        figure.savefig(aside, dpi=110)


def _draw_sweep(axes: Axes, name: str, points: Sequence[Point]) -> None:
    fit, at, seconds = power_law(name, points), np.array(axis(name, points)), _medians(points)
    axes.loglog(at, seconds, "o")
    axes.loglog(at, np.exp(fit.intercept) * at**fit.slope, label=f"exponent {fit.slope:.2f}")
    axes.set_xlabel(LABELS[name])
    axes.minorticks_off()
    axes.set_xticks(at, [f"{size:g}" for size in at], rotation=30)
    axes.set_yticks(seconds, [f"{median:.2g}" for median in seconds])
    axes.legend(frameon=False)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
