"""The auto-encoder inside a ConvNet: bottom-up activation patterns, top-down deconvolution."""

from typing import NamedTuple

import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.architectures.activations import ACTIVATIONS
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.types import Image, Label


class TopDown(NamedTuple):
    """The linear piece that an image lies on: f(I) = alpha + <I, B> (equation 17)."""

    delta: list[tf.Tensor]
    """The activation pattern, a 0/1 map of each layer from the bottom up (equation 13)."""
    coefficients: list[tf.Tensor]
    """B^(l) of each layer from the bottom up, B^(1) first (equation 15)."""
    alpha: tf.Tensor
    """[b]"""
    B: Image
    """B^(0): the mean of the Gaussian piece, in the units of the input."""


def top_down(net: ScoringFunction, image: Image, label: Label | None = None) -> TopDown:
    """Encodes images as activation patterns, and decodes these into means of Gaussian pieces.

    For an activation h that is not piecewise linear, delta holds the slopes h'(r) instead. B is
    still the gradient of the score then, but alpha + <I, B> is its tangent and not the score.

    Args:
        net: a scoring function.
        image: [b, h, w, c], in units of the reference's standard deviation.
        label: int [b], which of several outputs.

    Returns:
        The piece of each image. B equals df/dI, without automatic differentiation.

    Raises:
        UserError: if the net has batch normalization, another form than identity, or several
            outputs and no label says which.

    Source: A Theory of Generative ConvNet, equations 13 to 17.
    """
    if net.norms:
        raise UserError("batch_norm: expected a net without it, whose pieces are the paper's")
    if net.form != "identity":
        raise UserError(f"form: expected identity, of which the score is linear, found {net.form}")
    activation = ACTIVATIONS[net.activation]
    layers, maps, delta = net.layers_in_use, [image], []
    for conv in layers:  # bottom-up, equations 13 and 14
        response = conv(maps[-1], training=False)
        delta.append(activation.slope(response))
        maps.append(activation.function(response))

    b = _top_coefficients(net, maps[-1], label)
    alpha = tf.zeros(tf.shape(image)[:1])
    coefficients = [b]
    steps = zip(reversed(layers), reversed(delta), reversed(maps[:-1]), strict=True)
    for conv, slope, below in steps:  # top-down
        active = b * slope
        # alpha of equation 17 collects what the biases of active filters add to the score
        if conv.use_bias:
            bias = tf.cast(conv.bias, active.dtype)
            alpha += tf.reduce_sum(tf.cast(active * bias, tf.float32), axis=[1, 2, 3])
        b = conv.transpose(active, tf.shape(below))  # equation 16
        coefficients.append(b)
    *upper, bottom = coefficients  # from B^(L) down to B^(0)
    bottom.set_shape(image.shape)
    return TopDown(delta, upper[::-1], alpha, tf.cast(bottom, tf.float32))


def _top_coefficients(net: ScoringFunction, h: tf.Tensor, label: Label | None) -> tf.Tensor:
    """Returns B^(L): maps of 1's, or the filter over the whole image that reads the score."""
    if net.top is None:
        return tf.ones_like(h)
    response = net.top(h, training=False)  # only its shape is used
    if net.top.filters == 1:
        chosen = tf.ones_like(response)
    elif label is None:
        raise UserError(
            f"label: expected one an image, since the net has {net.top.filters} outputs, and "
            "found none"
        )
    else:
        one_hot = tf.one_hot(label, net.top.filters, dtype=response.dtype)
        chosen = tf.ones_like(response) * one_hot[:, None, None]
    return net.top.transpose(chosen, tf.shape(h))
