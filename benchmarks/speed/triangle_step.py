"""Steps a second of the divergence triangle, and the share of the machine's matrix product rate that they reach.

    python -m benchmarks.speed.triangle_step [--rounds=3] [--width=1] [--output=benchmarks/triangle_step.md]

One step is an update of all three CIFAR-10 nets on 100 images of 32x32x3. `official` takes fresh forward passes
for each net; `paper` shares them, since its nets move at once. Medians of runs timed in turn, in one process.
GFLOP/s are counted from the convolutions alone.
"""

import platform
import statistics
from collections.abc import Callable

import keras
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import rates
from tfgen import random
from tfgen.algorithms.divergence_triangle import PRESETS, ROLES, DivergenceTriangle
from tfgen.nets.families import triangle_cifar10
from tfgen.version import __version__
from trainers.run import commands

SHAPE, BATCH = (32, 32, 3), 100

PASSES = {
    "official": {"energy": 8, "generator": 8, "inference": 9},
    "paper": dict.fromkeys(ROLES, 6),
}
"""Forward passes' worth of work of each net in a step: a backward pass is one for inputs and one for weights."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.triangle_step"}
    absl_flags.DEFINE_integer("rounds", 3, "Timed steps of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_float(
        "width", 1.0, "Factor on the numbers of filters.", lower_bound=0.02, **where
    )
    absl_flags.DEFINE_string("output", None, "A Markdown file to write the table to.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the table."""
    cases = {preset: step(preset, values.width) for preset in PRESETS}
    rates.show(report(rates.beside_product(cases, values.rounds), values), values.output)


def step(preset: str, width: float) -> tuple[Callable[[], None], float]:
    """A timed step, and its floating-point operations."""
    nets = {role: getattr(triangle_cifar10, role)(SHAPE, width=width) for role in ROLES}
    algorithm = DivergenceTriangle(**nets, image_shape=SHAPE, preset=preset)
    algorithm.compile(
        {role: keras.optimizers.Adam(1e-4, beta_1=0.5, global_clipnorm=100.0) for role in ROLES}
    )
    batch = {"image": random.normal((BATCH, *SHAPE), random.root(0)) / 2, "index": tf.range(BATCH)}
    update = tf.function(algorithm.update, autograph=False)
    shapes = {"energy": SHAPE, "generator": nets["generator"].latent_shape, "inference": SHAPE}
    work = sum(PASSES[preset][role] * rates.operations(nets[role], shapes[role]) for role in ROLES)
    return lambda: float(update(batch, random.root(1))["divergence"]), BATCH * work


def report(timings: dict[str, rates.Timing], values: absl_flags.FlagValues) -> str:
    """The table as Markdown."""
    lines = [
        "# A step of the divergence triangle",
        "",
        f"Command: `python -m benchmarks.speed.triangle_step --rounds={values.rounds} --width={values.width:g}`; tfgen "
        f"{__version__}, TensorFlow {tf.__version__}, {platform.machine()}, float32. Medians of {values.rounds} "
        "interleaved steps; shares are medians of the ratios within a round.",
        "",
        "| preset | seconds a step | GFLOP/s | of the matrix product | time relative to official |",
        "|---|---|---|---|---|",
    ]
    for name, (seconds, rate, share) in timings.items():
        relative = statistics.median(
            s / o for s, o in zip(seconds, timings["official"].seconds, strict=True)
        )
        lines.append(
            f"| {name} | {statistics.median(seconds):.2f} | {rate:.0f} | {share:.2f} | {relative:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
