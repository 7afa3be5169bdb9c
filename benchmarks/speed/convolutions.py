"""Each convolution of the nets that are sampled from, run in each way: where a Langevin step's time goes.

    python -m benchmarks.speed.convolutions [--rounds=5] [--layers=dcgan32/2,...] [--page=benchmarks/results.md]

A timed run is four steps down an energy of the layer alone: its value and its input's gradient, weights prepared once.
All ways and the matrix product are timed in turn, on one processor and by what it computes, so that other programs
disturb little; ratios are taken within a round.
"""

import os
import pathlib
import platform
import statistics
import time

import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.speed import options, rates
from experiments import pages
from tfgen import random
from tfgen.errors import UserError
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

NETS = {
    "texture": (generative_convnet_texture, (224, 224, 3), 2),
    "dcgan32": (dcgan32, (32, 32, 3), 100),
    "triangle_mnist": (triangle_mnist, (28, 28, 1), 100),
    "triangle_cifar10": (triangle_cifar10, (32, 32, 3), 100),
}
"""The net's file, images' shape, and how many at once."""
WAYS = ("direct", "space_to_depth", "toom_cook")
STEPS = 4


def cases() -> dict[str, tuple[Conv, tuple[int, ...]]]:
    """Every layer below the tops, and the shape of what it is called on."""
    found = {}
    for name, (family, shape, examples) in NETS.items():
        net = family.energy(shape)
        for number, (conv, below) in enumerate(
            zip(net.convs, net.map_shapes((examples, *shape)), strict=False), 1
        ):
            found[f"{name}/{number}"] = (conv, below)
    return found


def define(values: absl_flags.FlagValues) -> None:
    """Defines the flags of this command."""
    where = {"flag_values": values, "module_name": "benchmarks.speed.convolutions"}
    absl_flags.DEFINE_integer("rounds", 5, "Timed runs of everything.", lower_bound=1, **where)
    absl_flags.DEFINE_list("layers", [], "Such as dcgan32/2; all unless given.", **where)
    options.define_page(where)


def main(values: absl_flags.FlagValues) -> None:
    """Times everything and prints the table."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    known = cases()
    for name in set(values.layers) - set(known):
        raise UserError(f"--layers: expected some of {', '.join(known)} and found {name}")
    rows = [row(name, *known[name], values.rounds) for name in values.layers or known]
    text = "\n".join([header(values.rounds), *rows])
    print(text)
    if values.page:
        pages.put(pathlib.Path(values.page), "convolutions", text)


def row(name: str, conv: Conv, shape: tuple[int, ...], rounds: int) -> str:
    """One layer's row of the table."""
    automatic = _way(conv, shape, "auto")
    ways = [way for way in WAYS if _way(conv, shape, way) == way]
    runs = {"product": rates.matrix_product("float32")[0]} | {
        way: descent(conv, shape, way) for way in ways
    }
    seconds = rates.interleaved(runs, rounds, time.process_time)[0]
    _, height, width, filters = conv.compute_output_shape(shape)
    operations = (
        4.0
        * shape[0]
        * height
        * width
        * filters
        * shape[3]
        * conv.kernel_size[0]
        * conv.kernel_size[1]
        * STEPS
    )
    cells = []
    for way in WAYS:
        if way not in ways:
            cells.append("-")
            continue
        pairs = zip(seconds[way], seconds["product"], strict=True)
        share = statistics.median(operations / s / (rates.PRODUCT_OPERATIONS / p) for s, p in pairs)
        cells.append(f"{1e3 * statistics.median(seconds[way]) / STEPS:.1f} ({share:.2f})")
    table = f"{conv.filters}, {conv.kernel_size[0]}, s{conv.strides} p{conv.padding}"
    shown = "x".join(map(str, shape))
    return f"| {name} | {table} | {shown} | {operations / STEPS / 1e9:.2f} | {' | '.join(cells)} | {automatic} |"


def _way(conv: Conv, shape, preferred: str) -> str:
    sizes = implementations.Convolution(
        shape, conv.kernel_size, conv.strides, conv.padding, conv.filters
    )
    return implementations.chosen(preferred, sizes, tf.float32)


def descent(conv: Conv, shape: tuple[int, ...], way: str):
    """A timed run in one way."""
    layer = Conv(
        conv.filters, conv.kernel_size, conv.strides, conv.padding, conv.use_bias, convolution=way
    )
    layer.build(shape)
    kernel, x = Langevin(0.01, temperature=0.0), random.normal(shape, random.root(0))

    @tf.function(autograph=False)
    def descend(x):
        energy = lambda x: tf.reduce_sum(tf.nn.relu(layer(x)), axis=[1, 2, 3])  # noqa: E731
        return run(kernel, energy, x, random.root(1), STEPS)[0]

    return lambda: descend(x).numpy()


def header(rounds: int) -> str:
    """What was run, and where."""
    return (
        "# Convolutions\n\n"
        f"Command: `python -m benchmarks.speed.convolutions --rounds={rounds}`; tfgen {__version__}, TensorFlow "
        f"{tf.__version__}, {platform.machine()}, float32, one processor's time. Milliseconds for a layer's value and "
        "its input's gradient, and in brackets the direct convolution's operations a second as a share of the matrix "
        f"product's; medians of {rounds} interleaved runs.\n\n"
        "| layer | filters, size, stride, padding | called on | GFLOP | direct | space_to_depth | toom_cook | auto |\n"
        "|---|---|---|---|---|---|---|---|"
    )


if __name__ == "__main__":
    commands.run(main, define, __doc__)
