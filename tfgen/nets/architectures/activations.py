"""Activation functions, and the derivatives that the top-down pass of a ConvNet needs."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfgen import portability

LEAK = 0.2
"""The slope of a leaky ReLU below zero."""


def silu(r: tf.Tensor) -> tf.Tensor:
    """Computes r sigmoid(r), which is also called swish."""
    # tf.nn.silu has a custom gradient, which a LiteRT signature cannot hold
    return r * tf.sigmoid(r)


def leaky_relu(r: tf.Tensor) -> tf.Tensor:
    """Computes a ReLU that leaks `LEAK` below zero."""
    return portability.leaky_relu(r, LEAK)


def softplus(r: tf.Tensor) -> tf.Tensor:
    """Computes ln(1 + exp(r)), without overflow, by operators that LiteRT has."""
    return portability.relu(r) + tf.math.log(1 + tf.exp(-tf.maximum(r, -r)))


FORMS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "identity": lambda u: u,
    "softplus": softplus,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
}
"""What an energy can be of a net's output: any number, or one that is bounded on a side or both."""


class Activation(NamedTuple):
    """An activation h (A Theory of Generative ConvNet, equation 1) and its derivative."""

    function: Callable[[tf.Tensor], tf.Tensor]
    slope: Callable[[tf.Tensor], tf.Tensor]


def _relu_slope(r: tf.Tensor) -> tf.Tensor:
    return tf.cast(r > 0, r.dtype)


def _silu_slope(r: tf.Tensor) -> tf.Tensor:
    # of r s(r), with s' = s (1 - s)
    gate = tf.sigmoid(r)
    return gate * (1 + r * (1 - gate))


def _leaky_relu_slope(r: tf.Tensor) -> tf.Tensor:
    return tf.where(r > 0, tf.ones_like(r), LEAK)


ACTIVATIONS = {
    "relu": Activation(portability.relu, _relu_slope),
    "swish": Activation(silu, _silu_slope),
    "leaky_relu": Activation(leaky_relu, _leaky_relu_slope),
}
"""The generative ConvNet's, a smooth one, and the divergence triangle's."""
