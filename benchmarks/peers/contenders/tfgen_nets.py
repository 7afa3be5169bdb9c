"""tfgen's nets as layers that any library can build, and the way back."""

from collections.abc import Sequence

import keras
import numpy as np

from benchmarks.peers.workload import Layer
from tfgen.nets.architectures.latent import Generator
from tfgen.nets.convolution.layers import Conv, ConvTranspose

Part = tuple[Conv | ConvTranspose, keras.layers.BatchNormalization | None, str]
"""A convolution, the normalization after it, the activation after that."""


def parts(net: keras.Model) -> list[Part]:
    """What a net is made of, from its inputs up, its heads last."""
    if isinstance(net, Generator):
        activations = ["relu"] * (len(net.stack) - 1) + ["tanh"]
        return list(
            zip(
                net.stack,
                [*net.norms, *[None] * (len(net.stack) - len(net.norms))],
                activations,
                strict=True,
            )
        )
    norms = [None, *(net.norms or [None] * (len(net.convs) - 1))]
    activation = getattr(net, "activation", "leaky_relu")
    heads = [getattr(net, name, None) for name in ("mean", "log_var", "top", "head")]
    body = [(conv, norm, activation) for conv, norm in zip(net.convs, norms, strict=True)]
    return body + [(head, None, "linear") for head in heads if head is not None]


def layers_of(net: keras.Model) -> list[Layer]:
    """The layers with the net's present weights."""
    return [
        Layer(
            kernel=conv.kernel.numpy(),
            bias=conv.bias.numpy() if conv.use_bias else None,
            strides=conv.strides,
            padding=conv.padding,
            activation=activation,
            transposed=isinstance(conv, ConvTranspose),
            norm=None if norm is None else np.stack([weight.numpy() for weight in norm.weights]),
        )
        for conv, norm, activation in parts(net)
    ]


def load(net: keras.Model, layers: Sequence[Layer]) -> keras.Model:
    """The net, with the layers' weights from now on."""
    for (conv, norm, _), layer in zip(parts(net), layers, strict=True):
        conv.kernel.assign(layer.kernel)
        if layer.bias is not None:
            conv.bias.assign(layer.bias)
        if norm is not None:
            for weight, row in zip(norm.weights, layer.norm, strict=True):
                weight.assign(row)
    return net
