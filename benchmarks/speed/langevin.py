"""Measures Langevin steps a second, and their rate beside the machine's matrix product.

    python -m benchmarks.speed.langevin [--rounds=5] [--dtypes=float32,bfloat16] [--page=PAGE]

All workloads and the matrix products are timed in turn, A B C A B C ..., in one process; medians
are compared. GFLOP/s count the convolutions alone: forward, and the gradient in their input.
"""

import platform
import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import net_parts, options, rates
from experiments import command_flags, pages
from tfgen import energies, random
from tfgen.nets.families import dcgan32, generative_convnet_texture
from tfgen.samplers import Langevin, run
from tfgen.version import __version__
from trainers.run import commands


class Workload(NamedTuple):
    """Langevin steps of chains under one energy net.

    Attributes:
        build: makes the net, given the shape of images.
        shape: height, width, channels.
        chains: how many.
        steps: of a timed run.
    """

    build: Callable[[tuple[int, int, int]], net_parts.Net]
    shape: tuple[int, int, int]
    chains: int
    steps: int


WORKLOADS = {
    "texture net, 224x224x3, 16 chains": Workload(
        generative_convnet_texture.energy, (224, 224, 3), chains=16, steps=2
    ),
    "DCGAN energy, 32x32x3, 100 chains": Workload(dcgan32.energy, (32, 32, 3), chains=100, steps=4),
}

Key = tuple[str, str]
"""The name of a workload, or of the matrix product, and a dtype."""

COLUMNS = (
    "workload",
    "dtype",
    "steps a second",
    "GFLOP/s",
    "of float32 matrix product",
    "of the same in float32",
)


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.langevin")
    options.define_rounds(place, 5, "Timed runs of everything.")
    text = "What to compute in; bfloat16 is slow on processors without it."
    absl_flags.DEFINE_list("dtypes", ["float32", "bfloat16"], text, **place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything, and prints the table."""
    works: dict[Key, rates.Work] = {}
    for dtype in dict.fromkeys(["float32", *values.dtypes]):
        works[rates.PRODUCT, dtype] = rates.matrix_product(dtype)
        for name, workload in WORKLOADS.items():
            works[name, dtype] = langevin(dtype, workload)
    runs = {key: work.run for key, work in works.items()}
    seconds, grown = rates.interleaved(runs, values.rounds)
    text = report(seconds, works, values, grown=grown)
    pages.publish("langevin", text, values.page)


def langevin(dtype: str, workload: Workload) -> rates.Work:
    """Returns Langevin steps in a dtype, float32 or bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16" if dtype == "bfloat16" else "float32")
    build, shape, chains, steps = workload
    # the policy holds for layers made from here on
    net = build(shape)
    energy = energies.tilted(energies.frozen(net), 1 / 127.5)
    kernel = Langevin(0.3 / 127.5)
    start = random.normal((chains, *shape), random.root(0)) / 2

    @tf.function(autograph=False)
    def sample(x):
        return run(kernel, energy, x, random.root(1), steps)[0]

    # forward, and the gradient in the images, which costs as much
    operations = 2 * net_parts.operations("energy", net, shape) * chains * steps
    return rates.Work(lambda: sample(start).numpy().sum(), operations)


def report(
    seconds: Mapping[Key, list[float]],
    works: Mapping[Key, rates.Work],
    values: absl_flags.FlagValues,
    *,
    grown: float,
) -> str:
    """Returns the table in Markdown.

    Args:
        seconds: of each round, by workload and dtype.
        works: what was run.
        values: the flags.
        grown: MiB by which peak memory grew over the timed runs.
    """
    dtypes = ",".join(values.dtypes)
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "all"
    rows = []
    for name, dtype in seconds:
        times, operations = seconds[name, dtype], works[name, dtype].operations
        # seconds are inversely proportional to rates
        share = rates.median_ratio(seconds[rates.PRODUCT, "float32"], times)
        share *= operations / works[rates.PRODUCT, "float32"].operations
        gain = rates.median_ratio(seconds[name, "float32"], times)
        median = statistics.median(times)
        steps = f"{WORKLOADS[name].steps / median:.2f}" if name in WORKLOADS else ""
        rate = f"{operations / median / 1e9:.0f}"
        rows.append([name, dtype, steps, rate, f"{share:.2f}", f"{gain:.2f}"])
    return (
        "# Langevin dynamics\n\n"
        f"Command: `python -m benchmarks.speed.langevin --rounds={values.rounds} "
        f"--dtypes={dtypes}`; tfgen {__version__}, TensorFlow {tf.__version__}, "
        f"{platform.machine()}, {threads} threads. Medians of {values.rounds} interleaved runs; "
        "shares are medians of the ratios within a round. "
        f"Peak memory grew by {grown:.0f} MiB over the timed runs.\n\n"
        f"{pages.table(COLUMNS, rows)}"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
