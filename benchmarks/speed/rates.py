"""How fast a machine goes: its matrix product, the operations of a net, runs timed in turn."""

import pathlib
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf
from tqdm import tqdm

from tfgen import files, random
from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import ConvTranspose

MATRIX = 2048
"""Side of the matrices of the matrix product."""
TIMES = 8
"""How many a timed run."""
PRODUCT_OPERATIONS = 2.0 * MATRIX**3 * TIMES
"""Of a timed run."""


def interleaved(
    runs: Mapping, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[dict, float]:
    """Times everything in turn, A B C A B C ..., after a round to warm up.

    Args:
        runs: functions without arguments, by any name.
        rounds: how many times each.
        clock: says the seconds since some time.

    Returns:
        The seconds of each run, by name, and by how many MiB the process's peak memory grew meanwhile.
    """
    for warm_up in runs.values():
        warm_up()
    before = peak_memory()
    seconds: dict = {name: [] for name in runs}
    for _ in tqdm(range(rounds), unit="round", leave=False, dynamic_ncols=True):
        for name, timed in runs.items():
            start = clock()
            timed()
            seconds[name].append(clock() - start)
    return seconds, peak_memory() - before


class Timing(NamedTuple):
    """Of something timed in turn with a matrix product."""

    seconds: list[float]
    """A round each."""
    rate: float
    """GFLOP/s, of the median round."""
    share: float
    """Of the matrix product's rate: the median of the ratios within a round."""


def beside_product(
    cases: Mapping[str, tuple[Callable[[], None], float]], rounds: int
) -> dict[str, Timing]:
    """Times functions beside the machine's matrix product.

    Args:
        cases: functions without arguments and their floating-point operations, by name.
        rounds: how many times each.
    """
    product, product_work = matrix_product("float32")
    seconds, _ = interleaved(
        {"matrix product": product} | {name: timed for name, (timed, _) in cases.items()}, rounds
    )
    rates = [product_work / s for s in seconds["matrix product"]]
    found = {}
    for name, (_, work) in cases.items():
        share = statistics.median(
            work / s / rate for s, rate in zip(seconds[name], rates, strict=True)
        )
        found[name] = Timing(seconds[name], work / statistics.median(seconds[name]) / 1e9, share)
    return found


def show(table: str, output: str | None) -> None:
    """Prints a table, and writes it to a file if there is to be one."""
    print(table)
    if output:
        with files.written_aside(pathlib.Path(output)) as aside:
            aside.write_text(table + "\n")


def operations(
    net: ScoringFunction | Discriminator | Inference | Generator, shape: tuple[int, ...]
) -> float:
    """Of the convolutions of one forward pass of one image: two for each multiplication and addition.

    Args:
        net: of convolutions; of one that grows, those in use count.
        shape: of what it is called on, without the batch.
    """
    layers, below = _layers(net), (None, *shape) if len(shape) == 3 else (None, 1, 1, *shape)
    total = 0.0
    for layer in layers:
        above = layer.compute_output_shape(below)
        height, width = layer.kernel_size
        places = below if isinstance(layer, ConvTranspose) else above
        total += 2.0 * places[1] * places[2] * height * width * below[3] * above[3]
        below = above
    heads = [getattr(net, name, None) for name in ("mean", "log_var", "top", "head")]
    return total + sum(
        2.0 * below[1] * below[2] * below[3] * head.filters for head in heads if head is not None
    )


def _layers(net) -> list:
    if isinstance(net, ScoringFunction):
        return net.layers_in_use
    return net.stack if isinstance(net, Generator) else net.convs


def matrix_product(dtype: str) -> tuple[Callable[[], None], float]:
    """A timed matrix product, and its floating-point operations."""
    a, b = (tf.cast(random.normal((MATRIX, MATRIX), random.root(i)), dtype) for i in range(2))

    @tf.function(autograph=False)
    def multiply(a, b):
        return tf.while_loop(lambda i, c: i < TIMES, lambda i, c: (i + 1, c @ b / 64), (0, a))[1]

    return lambda: multiply(a, b).numpy().sum(), PRODUCT_OPERATIONS


def peak_memory() -> float:
    """Of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
