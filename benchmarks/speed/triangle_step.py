"""Measures training steps of the divergence triangle, and their rate beside the matrix product.

    python -m benchmarks.speed.triangle_step [--rounds=3] [--width=1] [--output=FILE]

A step updates all three CIFAR-10 nets on 100 images of 32x32x3. The preset `official` takes fresh
forward passes for each net; `paper` shares them, since its nets move at once. The runs are timed in
turn, in one process; medians are compared. GFLOP/s count the convolutions alone.
"""

import platform
import statistics
from collections.abc import Mapping

import keras
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import net_parts, options, rates
from experiments import command_flags, pages
from tfgen import random
from tfgen.algorithms.divergence_triangle import ROLES, DivergenceTriangle
from tfgen.nets.families import triangle_cifar10
from tfgen.version import __version__
from trainers.run import commands

SHAPE, BATCH = (32, 32, 3), 100

BUILDERS = {
    "energy": triangle_cifar10.energy,
    "generator": triangle_cifar10.generator,
    "inference": triangle_cifar10.inference,
}
"""What makes the net of each role."""

PASSES = {
    "official": {"energy": 8, "generator": 8, "inference": 9},
    "paper": dict.fromkeys(ROLES, 6),
}
"""Each net's work in a step, in forward passes.

A backward pass costs one for the gradient in the inputs, and one for that in the weights.
"""

COLUMNS = (
    "preset",
    "seconds a step",
    "GFLOP/s",
    "of the matrix product",
    "time relative to official",
)


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.triangle_step")
    options.define_rounds(place, 3, "Timed steps of everything.")
    options.define_width(place)
    options.define_output(place)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything, and prints the table."""
    cases = {preset: step(preset, values.width) for preset in PASSES}
    timings = rates.beside_product(cases, values.rounds)
    rates.show(report(timings, values), values.output)


def step(preset: str, width: float) -> rates.Work:
    """Returns a training step.

    Args:
        preset: of the objective, a key of `PASSES`.
        width: factor on the numbers of filters.
    """
    nets = {role: BUILDERS[role](SHAPE, width=width) for role in ROLES}
    algorithm = DivergenceTriangle(**nets, image_shape=SHAPE, preset=preset)
    adams = {role: keras.optimizers.Adam(1e-4, beta_1=0.5) for role in ROLES}
    algorithm.compile(adams, clip_norms=dict.fromkeys(ROLES, 100.0))
    batch = {"image": random.normal((BATCH, *SHAPE), random.root(0)) / 2, "index": tf.range(BATCH)}
    update = tf.function(algorithm.update, autograph=False)
    operations = BATCH * operations_of(preset, nets)
    # reading a number waits until the step is made
    return rates.Work(lambda: float(update(batch, random.root(1))["divergence"]), operations)


def operations_of(preset: str, nets: Mapping[str, net_parts.Net]) -> float:
    """Counts the floating-point operations of a step on one image.

    Args:
        preset: of the objective, a key of `PASSES`.
        nets: by role; images have the energy's shape.
    """
    image = nets["energy"].image_shape
    below = {"energy": image, "generator": nets["generator"].latent_shape, "inference": image}
    total = 0.0
    for role, passes in PASSES[preset].items():
        total += passes * net_parts.operations(role, nets[role], below[role])
    return total


def report(timings: Mapping[str, rates.Timing], values: absl_flags.FlagValues) -> str:
    """Returns the table in Markdown.

    Args:
        timings: by preset.
        values: the flags.
    """
    rows = []
    for name, timing in timings.items():
        seconds = f"{statistics.median(timing.seconds):.2f}"
        relative = rates.median_ratio(timing.seconds, timings["official"].seconds)
        rows.append([name, seconds, f"{timing.rate:.0f}", f"{timing.share:.2f}", f"{relative:.2f}"])
    return (
        "# A step of the divergence triangle\n\n"
        f"Command: `python -m benchmarks.speed.triangle_step --rounds={values.rounds} "
        f"--width={values.width:g}`; tfgen {__version__}, TensorFlow {tf.__version__}, "
        f"{platform.machine()}, float32. Medians of {values.rounds} interleaved steps; shares are "
        "medians of the ratios within a round.\n\n"
        f"{pages.table(COLUMNS, rows)}"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
