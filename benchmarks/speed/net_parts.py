"""The convolutions that tfgen's nets are made of, and their floating-point operations."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import keras

from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv, ConvTranspose

Net: TypeAlias = "ScoringFunction | Discriminator | Inference | Generator"
"""The architectures whose convolutions are known."""


class Part(NamedTuple):
    """One convolution and what follows it.

    Attributes:
        conv: the convolution.
        norm: the normalization after it.
        activation: the name of the function after that.
        transposed: whether the convolution is a transposed one.
    """

    conv: Conv | ConvTranspose
    norm: keras.layers.BatchNormalization | None = None
    activation: str = "linear"
    transposed: bool = False


class NetParts(NamedTuple):
    """All convolutions of a net.

    Attributes:
        body: one after the other, from the inputs up.
        heads: side by side, each on the last maps of the body.
    """

    body: list[Part]
    heads: list[Part]

    @property
    def all(self) -> list[Part]:
        """The body, then the heads."""
        return [*self.body, *self.heads]


def parts(role: str, net: Net) -> NetParts:
    """Returns the convolutions of a net.

    Args:
        role: that the net plays, a key of `PARTS`.
        net: one of tfgen's own architectures.
    """
    return PARTS[role](net)


def operations(role: str, net: Net, shape: tuple[int, ...]) -> float:
    """Counts the floating-point operations of one forward pass of one image.

    They are those of direct convolutions: two for each multiplication and addition.

    Args:
        role: that the net plays, a key of `PARTS`.
        net: of one that grows, the layers in use count.
        shape: of what it is called on, without the batch.
    """
    body, heads = parts(role, net)
    # a net that grows computes its lower layers alone
    if role == "energy":
        body = body[: net.depth]
    # latent vectors are maps of one place
    below = (None, *((1, 1, *shape) if len(shape) == 1 else shape))
    total = 0.0
    for part in body:
        above = part.conv.compute_output_shape(below)
        total += _operations_of(part, below, above)
        below = above
    for part in heads:
        total += _operations_of(part, below, part.conv.compute_output_shape(below))
    return total


def _operations_of(part: Part, below: tuple, above: tuple) -> float:
    """Counts the operations of one convolution between maps of these shapes [b, h, w, c]."""
    height, width = part.conv.kernel_size
    # a transposed convolution applies its kernel at every place below, not above
    places = below if part.transposed else above
    return 2.0 * places[1] * places[2] * height * width * below[3] * above[3]


def _energy(net: ScoringFunction) -> NetParts:
    heads = [] if net.top is None else [Part(net.top)]
    return NetParts(_body(net, net.activation), heads)


def _inference(net: Inference) -> NetParts:
    return NetParts(_body(net, "leaky_relu"), [Part(net.mean), Part(net.log_var)])


def _discriminator(net: Discriminator) -> NetParts:
    return NetParts(_body(net, "leaky_relu"), [Part(net.head)])


def _generator(net: Generator) -> NetParts:
    *hidden, last = net.stack
    norms = net.norms or [None] * len(hidden)
    body = []
    for conv, norm in zip(hidden, norms, strict=True):
        body.append(Part(conv, norm, "relu", transposed=True))
    return NetParts([*body, Part(last, None, "tanh", transposed=True)], [])


def _body(net: ScoringFunction | Inference | Discriminator, activation: str) -> list[Part]:
    """Returns convolutions of which all but the first may be normalized."""
    norms = [None, *(net.norms or [None] * (len(net.convs) - 1))]
    return [Part(conv, norm, activation) for conv, norm in zip(net.convs, norms, strict=True)]


PARTS: dict[str, Callable[..., NetParts]] = {
    "energy": _energy,
    "inference": _inference,
    "discriminator": _discriminator,
    "generator": _generator,
}
"""What lists the convolutions of the net in each role."""
