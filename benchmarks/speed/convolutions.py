"""Measures the convolutions of the nets that are sampled from, in each implementation.

    python -m benchmarks.speed.convolutions [--rounds=5] [--layers=dcgan32/2,...] [--page=PAGE]

The table shows where the time of a Langevin step goes. A timed run is four steps down an energy of
one layer alone: its value and its input gradient, weights prepared once. All implementations and
the matrix product are timed in turn, on one processor and by what it computes, so that other
programs disturb little; ratios are taken within a round.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import options, rates
from experiments import command_flags, pages
from tfgen import random
from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.families import (
    dcgan32,
    generative_convnet_texture,
    triangle_cifar10,
    triangle_mnist,
)
from tfgen.samplers import Langevin, run
from tfgen.version import __version__
from trainers.run import commands


class Net(NamedTuple):
    """An energy net, and the images that it is called on.

    Attributes:
        family: the module with its `energy`.
        image_shape: height, width, channels.
        batch: images at once.
    """

    family: ModuleType
    image_shape: tuple[int, int, int]
    batch: int


NETS = {
    "texture": Net(generative_convnet_texture, (224, 224, 3), 2),
    "dcgan32": Net(dcgan32, (32, 32, 3), 100),
    "triangle_mnist": Net(triangle_mnist, (28, 28, 1), 100),
    "triangle_cifar10": Net(triangle_cifar10, (32, 32, 3), 100),
}
WAYS = ("direct", "space_to_depth", "toom_cook")
"""The implementations."""

STEPS = 4
"""Steps of a timed run."""

COLUMNS = (
    "layer",
    "filters, size, stride, padding",
    "called on",
    "GFLOP",
    *WAYS,
    "auto",
)


def cases() -> dict[str, tuple[Conv, tuple[int, ...]]]:
    """Returns every layer below the tops, and the shape [b, h, w, c] of what it is called on."""
    found = {}
    for name, (family, shape, batch) in NETS.items():
        net = family.energy(shape)
        shapes = net.map_shapes((batch, *shape))[:-1]
        for number, (conv, below) in enumerate(zip(net.convs, shapes, strict=True), start=1):
            found[f"{name}/{number}"] = (conv, below)
    return found


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    place = command_flags.place(values, "benchmarks.speed.convolutions")
    options.define_rounds(place, 5, "Timed runs of everything.")
    absl_flags.DEFINE_list("layers", [], "Such as dcgan32/2; all unless given.", **place)
    options.define_page(place)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything, and prints the table."""
    # process_time adds up the threads of all processors
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    known = cases()
    command_flags.require_known("layers", values.layers, known)
    rows = [row(name, *known[name], values.rounds) for name in values.layers or known]
    text = "\n\n".join([caption(values.rounds), pages.table(COLUMNS, rows)])
    pages.publish("convolutions", text, values.page)


def row(name: str, conv: Conv, shape: tuple[int, ...], rounds: int) -> list[str]:
    """Times one layer, and returns its row of the table.

    Args:
        name: of the layer.
        conv: the layer.
        shape: of what it is called on, [b, h, w, c].
        rounds: how often each implementation is timed.
    """
    # what cannot run a layer hands it to another implementation
    ways = [way for way in WAYS if _chosen(conv, shape, way) == way]
    product = rates.matrix_product("float32")
    runs = {rates.PRODUCT: product.run} | {way: descent(conv, shape, way) for way in ways}
    seconds, _ = rates.interleaved(runs, rounds, time.process_time)
    operations = operations_of(conv, shape)
    cells = []
    for way in WAYS:
        if way not in ways:
            cells.append("-")
            continue
        share = rates.median_ratio(seconds[rates.PRODUCT], seconds[way])
        share *= STEPS * operations / rates.PRODUCT_OPERATIONS
        milliseconds = 1e3 * statistics.median(seconds[way]) / STEPS
        cells.append(f"{milliseconds:.1f} ({share:.2f})")
    sizes = f"{conv.filters}, {conv.kernel_size[0]}, s{conv.strides} p{conv.padding}"
    called_on = "x".join(map(str, shape))
    automatic = _chosen(conv, shape, "auto")
    return [name, sizes, called_on, f"{operations / 1e9:.2f}", *cells, automatic]


def operations_of(conv: Conv, shape: tuple[int, ...]) -> float:
    """Counts the floating-point operations of a direct convolution and of its input gradient."""
    count, height, width, filters = conv.compute_output_shape(shape)
    patch = conv.kernel_size[0] * conv.kernel_size[1] * shape[3]
    # two for each multiplication and addition, forward and in the gradient
    return 4.0 * count * height * width * filters * patch


def _chosen(conv: Conv, shape: tuple[int, ...], preferred: str) -> str:
    """Returns the implementation that runs where one is preferred."""
    sizes = implementations.Convolution(
        shape, conv.kernel_size, conv.strides, conv.padding, conv.filters
    )
    return implementations.chosen(preferred, sizes, tf.float32)


def descent(conv: Conv, shape: tuple[int, ...], way: str) -> Callable[[], np.ndarray]:
    """Returns a timed run of a layer in one implementation; it returns where the steps end.

    Args:
        conv: the layer, built.
        shape: of what it is called on, [b, h, w, c].
        way: the implementation.
    """
    layer = Conv.from_config(conv.get_config() | {"convolution": way})
    layer.build(shape)
    layer.set_weights(conv.get_weights())
    # without noise, whose cost would not be the layer's
    kernel = Langevin(0.01, temperature=0.0)
    start = random.normal(shape, random.root(0))

    def energy(x):
        return tf.reduce_sum(tf.nn.relu(layer(x)), axis=[1, 2, 3])

    @tf.function(autograph=False)
    def descend(x):
        return run(kernel, energy, x, random.root(1), STEPS)[0]

    return lambda: descend(start).numpy()


def caption(rounds: int) -> str:
    """Returns the heading, and what was run where."""
    return (
        "# Convolutions\n\n"
        f"Command: `python -m benchmarks.speed.convolutions --rounds={rounds}`; tfgen {__version__}"
        f", TensorFlow {tf.__version__}, {platform.machine()}, float32, one processor's time. "
        "Milliseconds for a layer's value and its input gradient. In brackets: the direct "
        "convolution's operations a second as a share of the matrix product's. Medians of "
        f"{rounds} interleaved runs."
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
