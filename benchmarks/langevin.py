"""Langevin steps a second, and the share of the machine's matrix product rate that they reach.

    python -m benchmarks.langevin [--rounds=5] [--dtypes=float32,bfloat16] [--output=benchmarks/results.md]

Each workload and the matrix products are timed in turn, A B C A B C ..., in one run; medians are compared.
GFLOP/s are counted from the convolutions alone: forward, and the gradient in their input.
"""

import pathlib
import platform
import resource
import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import energies, random
from tfgen.nets import dcgan32, generative_convnet_texture
from tfgen.nets.scoring import ScoringFunction
from tfgen.samplers import Langevin, run
from tfgen.version import __version__
from trainers import commands, files

WORKLOADS = {
    "texture net, 224x224x3, 16 chains": (generative_convnet_texture.energy, (224, 224, 3), 16, 2),
    "DCGAN energy, 32x32x3, 100 chains": (dcgan32.energy, (32, 32, 3), 100, 4),
}
"""Net, image shape, chains, Langevin steps a timed run."""

MATRIX = 2048
"""Side of the matrices of the matrix product."""


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.langevin"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list(
        "dtypes", ["float32", "bfloat16"], "What to compute in; bfloat16 is slow on processors without it.", **where
    )
    absl_flags.DEFINE_string("output", None, "A Markdown file to write the table to.", **where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the table."""
    runs: dict[tuple[str, str], Callable[[], None]] = {}
    work: dict[tuple[str, str], float] = {}
    for dtype in dict.fromkeys(["float32", *values.dtypes]):
        runs["matrix product", dtype], work["matrix product", dtype] = matrix_product(dtype)
        for name, workload in WORKLOADS.items():
            runs[name, dtype], work[name, dtype] = langevin(dtype, *workload)
    for warm_up in runs.values():
        warm_up()
    memory = peak_memory()
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(values.rounds):
        for key, timed in runs.items():
            start = time.perf_counter()
            timed()
            seconds[key].append(time.perf_counter() - start)
    table = report(seconds, work, values, memory)
    print(table)
    if values.output:
        with files.written_aside(pathlib.Path(values.output)) as aside:
            aside.write_text(table + "\n")


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

    return lambda: sample(x).numpy().sum(), 2 * operations(net, shape) * chains * steps


def operations(net: ScoringFunction, shape: tuple[int, int, int]) -> float:
    """Of the convolutions of one forward pass of one image: two for each multiplication and addition."""
    total, below = 0.0, (None, *shape)
    for conv in net.convs:
        above = conv.compute_output_shape(below)
        height, width = conv.kernel_size
        total += 2.0 * above[1] * above[2] * above[3] * height * width * below[3]
        below = above
    if net.top is not None:
        total += 2.0 * below[1] * below[2] * below[3] * net.top.filters
    return total


def matrix_product(dtype: str) -> tuple[Callable[[], None], float]:
    """A timed matrix product, and its floating-point operations."""
    a, b = (tf.cast(random.normal((MATRIX, MATRIX), random.root(i)), dtype) for i in range(2))
    times = 8

    @tf.function(autograph=False)
    def multiply(a, b):
        return tf.while_loop(lambda i, c: i < times, lambda i, c: (i + 1, c @ b / 64), (0, a))[1]

    return lambda: multiply(a, b).numpy().sum(), 2.0 * MATRIX**3 * times


def peak_memory() -> float:
    """Of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(seconds, work, values: absl_flags.FlagValues, memory: float) -> str:
    """The table as Markdown."""
    threads = tf.config.threading.get_intra_op_parallelism_threads() or "all"
    lines = [
        "# Langevin dynamics",
        "",
        f"Command: `python -m benchmarks.langevin --rounds={values.rounds} --dtypes={','.join(values.dtypes)}`; "
        f"tfgen {__version__}, "
        f"TensorFlow {tf.__version__}, {platform.machine()}, {threads} threads. Medians of {values.rounds} interleaved "
        f"runs; shares are medians of the ratios within a round. "
        f"Peak memory grew by {peak_memory() - memory:.0f} MiB over the timed runs.",
        "",
        "| workload | dtype | steps a second | GFLOP/s | of float32 matrix product | of the same in float32 |",
        "|---|---|---|---|---|---|",
    ]
    product = [work["matrix product", "float32"] / s / 1e9 for s in seconds["matrix product", "float32"]]
    for (name, dtype), times in seconds.items():
        rates = [work[name, dtype] / s / 1e9 for s in times]
        in_float32 = [work[name, "float32"] / s / 1e9 for s in seconds[name, "float32"]]
        share = statistics.median(r / p for r, p in zip(rates, product, strict=True))
        gain = statistics.median(r / f for r, f in zip(rates, in_float32, strict=True))
        steps = WORKLOADS[name][3] / statistics.median(times) if name in WORKLOADS else None
        lines.append(
            f"| {name} | {dtype} | {f'{steps:.2f}' if steps else ''} | {statistics.median(rates):.0f} "
            f"| {share:.2f} | {gain:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
