"""Measures an update of the growing triangle by resolution, and extrapolates to 1024x1024.

    python -m benchmarks.speed.resolutions [--sides=16,32,64,128] [--width=0.25] [--batch_size=4]

Each side is a process of its own, which makes updates of a divergence triangle on
`triangle_progressive` nets with all their levels. The seconds of an update are the least of
`UPDATES`. The peak memory is read from the system, less what the process held before its first
update. A line through the last two sides, in logarithms, extrapolates both to `FULL`. Filters halve
with each level above 32x32, so nothing grows faster than the number of pixels, which bounds both.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from absl import flags as absl_flags

from benchmarks.speed import machine, options, update_memory
from experiments import command_flags, pages
from tfgen.algorithms.divergence_triangle import DivergenceTriangle
from tfgen.errors import UserError
from tfgen.nets.families import triangle_progressive
from trainers.run import commands

UPDATES = 3
"""Updates after the first, whose graph is traced."""

FULL = 1024
"""The side to extrapolate to: the paper's."""

COLUMNS = ("pixels", "weights", "seconds an update", "peak memory above the base, MiB")


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.resolutions")
    text = "Sides of the images, from the smallest."
    absl_flags.DEFINE_list("sides", "16,32,64,128", text, **place)
    options.define_width(place)
    text = "Images an update."
    absl_flags.DEFINE_integer("batch_size", 4, text, lower_bound=1, **place)
    text = "Measure this side alone, in this process, and print what was found as JSON."
    absl_flags.DEFINE_integer("side", None, text, lower_bound=8, **place)
    options.define_page(place)


def measured(side: int, width: float, batch_size: int) -> tuple[int, float, float]:
    """Returns the nets' weights, the seconds of an update, and its peak memory in MiB.

    Args:
        side: of the images.
        width: factor on the numbers of filters.
        batch_size: images an update.
    """
    shape = (side, side, 3)
    nets = [
        triangle_progressive.energy(shape, width=width),
        triangle_progressive.generator(shape, width=width),
        triangle_progressive.inference(shape, width=width),
    ]
    algorithm = DivergenceTriangle(*nets, image_shape=shape, preset="scaled")
    algorithm.compile(dict.fromkeys(algorithm.nets, "adam"))
    images = np.random.default_rng(0).uniform(-1, 1, (batch_size, *shape)).astype(np.float32)
    base, seconds = update_memory.peak(), []
    for _ in range(1 + UPDATES):
        begin = time.perf_counter()
        algorithm.fit(images, batch_size=batch_size, verbose=0)
        seconds.append(time.perf_counter() - begin)
    return sum(net.count_params() for net in nets), min(seconds[1:]), update_memory.peak() - base


def alone(values: absl_flags.FlagValues, side: int) -> tuple[int, float, float]:
    """Returns what a process of its own measures of a side.

    Raises:
        UserError: if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.speed.resolutions", f"--side={side}"]
    words = [f"--{name}={values[name].value}" for name in ("width", "batch_size")]
    found = subprocess.run(
        [*command, *words], stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if found.returncode:
        raise UserError(f"side {side}: expected a figure and found exit code {found.returncode}")
    weights, seconds, memory = json.loads(found.stdout.splitlines()[-1])
    return weights, seconds, memory


def extrapolated(sides: Sequence[int], values: Sequence[float]) -> float:
    """Returns a quantity at `FULL`, by a line in logarithms through its last two values.

    Args:
        sides: of the images, at least two.
        values: the quantity at each, above 0.

    Example:
        >>> extrapolated([64, 128], [1.0, 4.0])
        256.0
    """
    slope = math.log(values[-1] / values[-2]) / math.log(sides[-1] / sides[-2])
    return values[-1] * (FULL / sides[-1]) ** slope


def main(values: absl_flags.FlagValues) -> None:
    """Measures each side, and prints the table."""
    if values.side is not None:
        print(json.dumps(measured(values.side, values.width, values.batch_size)))
        return
    sides = sorted(map(int, values.sides))
    if len(sides) < 2:
        raise UserError(f"--sides: expected at least two and found {len(sides)}")
    found = [alone(values, side) for side in sides]
    rows = [
        [f"{side}x{side}", f"{weights:,}", f"{seconds:.2f}", f"{memory:,.0f}"]
        for side, (weights, seconds, memory) in zip(sides, found, strict=True)
    ]
    _, seconds, memory = zip(*found, strict=True)
    more = (FULL / sides[-1]) ** 2
    for title, time_of_it, memory_of_it in (
        ("extrapolated", extrapolated(sides, seconds), extrapolated(sides, memory)),
        ("at most", more * seconds[-1], more * memory[-1]),
    ):
        full = f"{FULL}x{FULL}, {title}"
        rows.append([full, "-", f"{time_of_it:.0f}", f"{memory_of_it:,.0f}"])
    caption = (
        f"Triangle on `triangle_progressive`, {values.batch_size} images an update, width "
        f"{values.width:g}, on {machine.summary()}:"
    )
    pages.publish("resolutions", f"{caption}\n\n{pages.table(COLUMNS, rows)}", values.page)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
