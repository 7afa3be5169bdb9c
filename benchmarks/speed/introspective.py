"""How long introspective networks synthesize, and the share of the machine's matrix product rate that they reach.

    python -m benchmarks.speed.introspective [--rounds=3] [--width=1] [--output=benchmarks/introspective.md]

The paper's nets and sizes: 50 faces of 64x64 through 12 classifiers, one texture of 256x256 (320x320 with its padding,
10 patches of 64x64 a step) through 60. Steps are timed; a whole synthesis is its steps' time times as many steps a
classifier as `--steps` says, since untrained classifiers have no boundary to stop at. GFLOP/s are counted from the
convolutions alone: a forward pass and one for the gradient of the image.
"""

import platform
import statistics
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import rates
from tfgen import random
from tfgen.models import Synthesis
from tfgen.nets.families import dcgan64
from tfgen.samplers import run
from tfgen.version import __version__
from trainers.run import commands

SEEN = (64, 64, 3)
"""What a classifier sees."""

WINDOW = 5
"""Steps timed at once."""


class Case(NamedTuple):
    """A synthesis of the paper."""

    shape: tuple[int, int, int, int]
    classifiers: int
    patches: int
    """Looked at in a step, of all images."""
    seconds: int
    """What the paper says that it takes on its GPU."""


CASES = {
    "50 images of 64x64": Case((50, *SEEN), 12, 50, 10),
    "a texture of 256x256": Case((1, 320, 320, 3), 60, 10, 30),
}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.introspective"}
    absl_flags.DEFINE_integer("rounds", 3, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_integer(
        "steps", 20, "Of a synthesis under one classifier.", lower_bound=1, **where
    )
    absl_flags.DEFINE_float(
        "width", 1.0, "Factor on the numbers of filters.", lower_bound=0.02, **where
    )
    absl_flags.DEFINE_string("output", None, "A Markdown file to write the table to.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the table."""
    cases = {name: steps(case, values.width) for name, case in CASES.items()}
    rates.show(report(rates.beside_product(cases, values.rounds), values), values.output)


def steps(case: Case, width: float) -> tuple[Callable[[], None], float]:
    """Some timed steps, and their floating-point operations."""
    net = dcgan64.discriminator(SEEN, width=width)
    count, height, across, _ = case.shape
    whole = (height, across) == SEEN[:2]
    synthesis = Synthesis(
        optimizer="adam",
        step_size=0.01,
        beta_1=0.5,
        noise=0.0,
        noise_decay=1.0,
        objective="cross_entropy",
        window=1,
        num_steps=WINDOW,
        sigma=0.3,
        patch_size=None if whole else SEEN[0],
        patches=case.patches // count,
        area=height * across,
    )
    kernel, energy = synthesis.across(
        lambda x: net(x, training=False), tf.constant(1e6), case.shape
    )
    moved = tf.function(
        lambda x: run(kernel, energy, x, random.root(1), WINDOW)[0], autograph=False
    )
    start = synthesis.start(case.shape, random.root(0))
    return lambda: moved(start).numpy().sum(), WINDOW * case.patches * 2 * rates.operations(
        net, SEEN
    )


def report(timings: dict[str, rates.Timing], values: absl_flags.FlagValues) -> str:
    """The table as Markdown."""
    command = (
        f"python -m benchmarks.speed.introspective --rounds={values.rounds} --steps={values.steps}"
    )
    lines = [
        "# Synthesis of introspective networks",
        "",
        f"Command: `{command} --width={values.width:g}`; tfgen {__version__}, TensorFlow {tf.__version__}, "
        f"{platform.machine()}, float32. Medians of {values.rounds} interleaved runs; shares are medians of the ratios "
        f"within a round. A whole synthesis is reckoned from its steps' time, {values.steps} steps a classifier.",
        "",
        "| | seconds a step | GFLOP/s | of the matrix product | whole synthesis, s | the paper's, on its GPU, s |",
        "|---|---|---|---|---|---|",
    ]
    for name, (seconds, rate, share) in timings.items():
        step, case = statistics.median(seconds) / WINDOW, CASES[name]
        whole = step * values.steps * case.classifiers
        lines.append(
            f"| {name} | {step:.3f} | {rate:.0f} | {share:.2f} | {whole:.0f} | about {case.seconds} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
