"""The auto-encoder inside a ReLU ConvNet: bottom-up activation patterns, top-down deconvolution."""

from typing import NamedTuple

import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.scoring import ScoringFunction
from tfgen.types import Image


class TopDown(NamedTuple):
    """The linear piece an image lies on: f(I) = alpha + <I, B> (equation 17)."""

    delta: list[tf.Tensor]
    """The activation pattern, a 0/1 map per layer from the bottom up (equation 13)."""
    coefficients: list[tf.Tensor]
    """B^(l) of each layer from the bottom up, B^(1) first (equation 15)."""
    alpha: tf.Tensor
    """[b]"""
    B: Image
    """B^(0): the mean of the Gaussian piece, in the units of the input."""


def top_down(net: ScoringFunction, image: Image) -> TopDown:
    """Encodes images as activation patterns and decodes these into the means of their Gaussian pieces.

    Args:
        net: a ReLU scoring function with one output.
        image: [b, h, w, c], in units of the reference's standard deviation.

    Returns:
        The piece of each image. B equals df/dI, without automatic differentiation.

    Raises:
        UserError: if the net is not piecewise linear.

    Source: A Theory of Generative ConvNet, equations 13 to 17.
    """
    if net.activation != "relu":
        raise UserError(f"activation: expected relu, the only piecewise linear one, and found {net.activation}")
    layers, inputs, delta = net.layers_in_use, [], []
    h = image
    for conv in layers:  # bottom-up, equation 14
        inputs.append(h)
        response = conv(h)
        delta.append(tf.cast(response > 0, response.dtype))
        h = delta[-1] * response

    if net.top is None:
        b = tf.ones_like(h)  # B^(L) consists of maps of 1's
    else:
        response = net.top(h)
        b = net.top.transpose(tf.ones_like(response), tf.shape(h))
    alpha = tf.zeros(tf.shape(image)[:1])
    coefficients = [b]
    for conv, pattern, below in zip(reversed(layers), reversed(delta), reversed(inputs), strict=True):
        active = b * pattern
        if conv.use_bias:
            alpha += tf.reduce_sum(tf.cast(active * tf.cast(conv.bias, active.dtype), tf.float32), axis=[1, 2, 3])
        b = conv.transpose(active, tf.shape(below))  # equation 16
        coefficients.append(b)
    *upper, bottom = coefficients
    return TopDown(delta, upper[::-1], alpha, tf.cast(tf.ensure_shape(bottom, image.shape), tf.float32))
