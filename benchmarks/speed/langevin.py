"""Langevin steps a second, and the share of the machine's matrix product rate that they reach.

    python -m benchmarks.speed.langevin [--rounds=5] [--dtypes=float32,bfloat16] [--page=benchmarks/results.md]

Each workload and the matrix products are timed in turn, A B C A B C ..., in one run; medians are compared.
GFLOP/s are counted from the convolutions alone: forward, and the gradient in their input.
"""

import pathlib
import platform
import statistics
from collections.abc import Callable

import keras
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import options, rates
from experiments import pages
from tfgen import energies, random
from tfgen.nets.families import dcgan32, generative_convnet_texture
from tfgen.samplers import Langevin, run
from tfgen.version import __version__
from trainers.run import commands

WORKLOADS = {
    "texture net, 224x224x3, 16 chains": (generative_convnet_texture.energy, (224, 224, 3), 16, 2),
    "DCGAN energy, 32x32x3, 100 chains": (dcgan32.energy, (32, 32, 3), 100, 4),
}
"""Net, image shape, chains, Langevin steps a timed run."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.langevin"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list(
        "dtypes",
        ["float32", "bfloat16"],
        "What to compute in; bfloat16 is slow on processors without it.",
        **where,
    )
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the table."""
    runs: dict[tuple[str, str], Callable[[], None]] = {}
    work: dict[tuple[str, str], float] = {}
    for dtype in dict.fromkeys(["float32", *values.dtypes]):
        runs["matrix product", dtype], work["matrix product", dtype] = rates.matrix_product(dtype)
        for name, workload in WORKLOADS.items():
            runs[name, dtype], work[name, dtype] = langevin(dtype, *workload)
    seconds, grown = rates.interleaved(runs, values.rounds)
    table = report(seconds, work, values, grown)
    print(table)
    if values.page:
        pages.put(pathlib.Path(values.page), "langevin", table)


def langevin(dtype: str, build, shape, chains: int, steps: int) -> tuple[Callable[[], None], float]:
    """A timed run of Langevin steps, and its floating-point operations."""
    keras.config.set_dtype_policy("mixed_bfloat16" if dtype == "bfloat16" else "float32")
    net = build(shape)
    density = energies.tilted(energies.frozen(net), 1 / 127.5)
    kernel = Langevin(0.3 / 127.5)
    x = random.normal((chains, *shape), random.root(0)) / 2

    @tf.function(autograph=False)
    def sample(x):
        return run(kernel, density, x, random.root(1), steps)[0]

    return lambda: sample(x).numpy().sum(), 2 * rates.operations(net, shape) * chains * steps


def report(seconds, work, values: absl_flags.FlagValues, grown: float) -> str:
    """The table as Markdown."""
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "all"
    lines = [
        "# Langevin dynamics",
        "",
        f"Command: `python -m benchmarks.speed.langevin --rounds={values.rounds} --dtypes={','.join(values.dtypes)}`; "
        f"tfgen {__version__}, "
        f"TensorFlow {tf.__version__}, {platform.machine()}, {threads} threads. Medians of {values.rounds} interleaved "
        f"runs; shares are medians of the ratios within a round. "
        f"Peak memory grew by {grown:.0f} MiB over the timed runs.",
        "",
        "| workload | dtype | steps a second | GFLOP/s | of float32 matrix product | of the same in float32 |",
        "|---|---|---|---|---|---|",
    ]
    product = [
        work["matrix product", "float32"] / s / 1e9 for s in seconds["matrix product", "float32"]
    ]
    for (name, dtype), times in seconds.items():
        reached = [work[name, dtype] / s / 1e9 for s in times]
        in_float32 = [work[name, "float32"] / s / 1e9 for s in seconds[name, "float32"]]
        share = statistics.median(r / p for r, p in zip(reached, product, strict=True))
        gain = statistics.median(r / f for r, f in zip(reached, in_float32, strict=True))
        steps = WORKLOADS[name][3] / statistics.median(times) if name in WORKLOADS else None
        lines.append(
            f"| {name} | {dtype} | {f'{steps:.2f}' if steps else ''} | {statistics.median(reached):.0f} "
            f"| {share:.2f} | {gain:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
