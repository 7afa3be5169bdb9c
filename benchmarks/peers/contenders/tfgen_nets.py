"""tfgen's nets as layers that any library can build, and the way back."""

from collections.abc import Sequence

import numpy as np

from benchmarks.peers.workload import Layer, Workload
from benchmarks.speed.net_parts import Net, Part, parts
from tfgen import energies, random
from tfgen.nets.families import triangle_mnist
from tfgen.types import EnergyFn


def layers_of(role: str, net: Net) -> list[Layer]:
    """Returns the layers of a net with its present weights, its heads last.

    Args:
        role: that the net plays, a key of `net_parts.PARTS`.
        net: one of tfgen's own architectures.
    """
    return [_layer(part) for part in parts(role, net).all]


def load(role: str, net: Net, layers: Sequence[Layer]) -> Net:
    """Gives a net the weights of layers, and returns it."""
    for part, layer in zip(parts(role, net).all, layers, strict=True):
        part.conv.kernel.assign(layer.kernel)
        if layer.bias is not None:
            part.conv.bias.assign(layer.bias)
        if part.norm is not None and layer.norm is not None:
            for weight, row in zip(part.norm.weights, layer.norm, strict=True):
                weight.assign(row)
    return net


def draw(role: str, net: Net, scale: float | None = None, number: int = 0) -> Net:
    """Gives a net weights that do not depend on chance, and returns it.

    Args:
        role: that the net plays.
        net: one of tfgen's own architectures.
        scale: standard deviation of the kernels; None takes He's, which lets signals through.
        number: other weights for another number.
    """
    for place, part in enumerate(parts(role, net).all):
        seeds = random.split(random.fold_in(random.root(number), place), 4)
        conv, norm = part.conv, part.norm
        shape = conv.kernel.shape
        deviation = scale or (2 * conv.filters / np.prod(shape)) ** 0.5
        conv.kernel.assign(deviation * random.normal(shape, seeds[0]))
        if conv.use_bias:
            conv.bias.assign(0.1 * random.normal(conv.bias.shape, seeds[1]))
        if norm is not None:
            norm.gamma.assign(1 + 0.02 * random.normal(norm.gamma.shape, seeds[2]))
            norm.moving_mean.assign(0.1 * random.normal(norm.gamma.shape, seeds[3]))
    return net


def small_energy(work: Workload) -> EnergyFn:
    """Returns the energy of MNIST's triangle with a workload's weights, for its `start`."""
    shape = work.arrays["start"].shape[1:]
    net = triangle_mnist.energy(shape, width=work.constants["width"])
    return energies.frozen(load("energy", net, work.nets["energy"]))


def _layer(part: Part) -> Layer:
    conv, norm = part.conv, part.norm
    rows = None if norm is None else np.stack([weight.numpy() for weight in norm.weights])
    return Layer(
        kernel=conv.kernel.numpy(),
        bias=conv.bias.numpy() if conv.use_bias else None,
        strides=conv.strides,
        padding=conv.padding,
        activation=part.activation,
        transposed=part.transposed,
        norm=rows,
    )
