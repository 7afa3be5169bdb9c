"""How fast a machine goes: its matrix product, the operations of a net, runs timed in turn."""

import resource
import time
from collections.abc import Callable, Mapping

import tensorflow as tf

from tfgen import random
from tfgen.nets.discriminator import Discriminator
from tfgen.nets.latent import Generator, Inference
from tfgen.nets.layers import ConvTranspose
from tfgen.nets.scoring import ScoringFunction

MATRIX = 2048
"""Side of the matrices of the matrix product."""


def interleaved(runs: Mapping, rounds: int) -> tuple[dict, float]:
    """Times everything in turn, A B C A B C ..., after a round to warm up.

    Args:
        runs: functions without arguments, by any name.
        rounds: how many times each.

    Returns:
        The seconds of each run, by name, and by how many MiB the process's peak memory grew meanwhile.
    """
    for warm_up in runs.values():
        warm_up()
    before = peak_memory()
    seconds: dict = {name: [] for name in runs}
    for _ in range(rounds):
        for name, timed in runs.items():
            start = time.perf_counter()
            timed()
            seconds[name].append(time.perf_counter() - start)
    return seconds, peak_memory() - before


def operations(net: ScoringFunction | Discriminator | Inference | Generator, shape: tuple[int, ...]) -> float:
    """Of the convolutions of one forward pass of one image: two for each multiplication and addition.

    Args:
        net: of convolutions.
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
    return total + sum(2.0 * below[1] * below[2] * below[3] * head.filters for head in heads if head is not None)


def _layers(net) -> list:
    return net.stack if isinstance(net, Generator) else net.convs


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
