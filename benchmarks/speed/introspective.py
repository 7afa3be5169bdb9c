"""Measures how long introspective networks synthesize, and their rate beside the matrix product.

    python -m benchmarks.speed.introspective [--rounds=3] [--width=1] [--output=FILE]

The nets and sizes are the paper's: 50 faces of 64x64 through 12 classifiers, and one texture of
256x256 (320x320 with its padding, 10 patches of 64x64 a step) through 60. Only steps are timed. A
whole synthesis is estimated: time of a step x --steps a classifier x classifiers, since untrained
classifiers have no boundary to stop at. GFLOP/s count the convolutions alone: a forward pass, and
one for the gradient in the image.
"""

import platform
import statistics
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import net_parts, options, rates
from experiments import command_flags, pages
from tfgen import random
from tfgen.models import Synthesis
from tfgen.nets.families import dcgan64
from tfgen.samplers import run
from tfgen.version import __version__
from trainers.run import commands

SEEN = (64, 64, 3)
"""The shape of what a classifier sees."""

WINDOW = 5
"""Steps of a timed run."""

COLUMNS = (
    "",
    "seconds a step",
    "GFLOP/s",
    "of the matrix product",
    "whole synthesis, s",
    "the paper's, on its GPU, s",
)


class Case(NamedTuple):
    """A synthesis of the paper.

    Attributes:
        shape: of the images [b, h, w, c], with their padding.
        classifiers: that they pass through.
        patches: seen in a step, of all images together.
        seconds: that the paper reports, on its GPU.
    """

    shape: tuple[int, int, int, int]
    classifiers: int
    patches: int
    seconds: int


CASES = {
    "50 images of 64x64": Case((50, *SEEN), classifiers=12, patches=50, seconds=10),
    "a texture of 256x256": Case((1, 320, 320, 3), classifiers=60, patches=10, seconds=30),
}


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.introspective")
    options.define_rounds(place, 3, "Timed runs of everything.")
    text = "Steps of a synthesis under one classifier."
    absl_flags.DEFINE_integer("steps", 20, text, lower_bound=1, **place)
    options.define_width(place)
    options.define_output(place)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything, and prints the table."""
    cases = {name: steps(case, values.width) for name, case in CASES.items()}
    timings = rates.beside_product(cases, values.rounds)
    rates.show(report(timings, values), values.output)


def steps(case: Case, width: float) -> rates.Work:
    """Returns `WINDOW` steps of a synthesis.

    Args:
        case: what is synthesized.
        width: factor on the numbers of filters.
    """
    net = dcgan64.discriminator(SEEN, width=width)
    count, height, across, _ = case.shape
    is_whole = (height, across) == SEEN[:2]
    synthesis = synthesis_of(
        case.shape,
        patch_size=None if is_whole else SEEN[0],
        patches=case.patches // count,
        num_steps=WINDOW,
    )

    def log_odds(x):
        return net(x, training=False)

    # a threshold that no image reaches, so that all steps are made
    kernel, energy = synthesis.across(log_odds, tf.constant(1e6), case.shape)

    @tf.function(autograph=False)
    def moved(x):
        return run(kernel, energy, x, random.root(1), WINDOW)[0]

    start = synthesis.start(case.shape, random.root(0))
    operations = 2 * WINDOW * case.patches * net_parts.operations("discriminator", net, SEEN)
    return rates.Work(lambda: moved(start).numpy().sum(), operations)


def synthesis_of(
    shape: tuple[int, ...],
    *,
    patch_size: int | None,
    patches: int,
    num_steps: int,
    step_size: float = 0.01,
    beta_1: float = 0.5,
) -> Synthesis:
    """Returns the paper's synthesis by Adam, without noise.

    Args:
        shape: of the images [b, h, w, c], with their padding.
        patch_size: side of what the classifier sees; None where it sees whole images.
        patches: seen of an image in a step.
        num_steps: under one classifier.
        step_size: in pixel units.
        beta_1: of Adam.
    """
    return Synthesis(
        optimizer="adam",
        step_size=step_size,
        beta_1=beta_1,
        noise=0.0,
        noise_decay=1.0,
        objective="cross_entropy",
        window=1,
        num_steps=num_steps,
        sigma=0.3,
        patch_size=patch_size,
        patches=patches,
        area=shape[1] * shape[2],
    )


def report(timings: Mapping[str, rates.Timing], values: absl_flags.FlagValues) -> str:
    """Returns the table in Markdown.

    Args:
        timings: of `WINDOW` steps, by case.
        values: the flags.
    """
    rows = []
    for name, timing in timings.items():
        step, case = statistics.median(timing.seconds) / WINDOW, CASES[name]
        # an estimate: untrained classifiers have no boundary that would end a synthesis
        whole = step * values.steps * case.classifiers
        measured = [f"{step:.3f}", f"{timing.rate:.0f}", f"{timing.share:.2f}"]
        rows.append([name, *measured, f"{whole:.0f}", f"about {case.seconds}"])
    return (
        "# Synthesis of introspective networks\n\n"
        f"Command: `python -m benchmarks.speed.introspective --rounds={values.rounds} "
        f"--steps={values.steps} --width={values.width:g}`; tfgen {__version__}, TensorFlow "
        f"{tf.__version__}, {platform.machine()}, float32. Medians of {values.rounds} interleaved "
        "runs; shares are medians of the ratios within a round. A whole synthesis is estimated "
        f"from its steps' time, {values.steps} steps a classifier.\n\n"
        f"{pages.table(COLUMNS, rows)}"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
