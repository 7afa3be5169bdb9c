"""Nets of TensorFlow's own operations with a workload's weights; images are [b, h, w, c]."""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers.workload import Layer

ACTIVATIONS = {
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "swish": tf.nn.swish,
    "leaky_relu": tf.nn.leaky_relu,
}


def score(layers: Sequence[Layer], x: tf.Tensor) -> tf.Tensor:
    """The sum of the last maps, [b]."""
    for layer in layers:
        around = [layer.padding] * 2
        x = tf.nn.conv2d(x, layer.kernel, layer.strides, [[0, 0], around, around, [0, 0]])
        x = ACTIVATIONS[layer.activation](x if layer.bias is None else x + layer.bias)
    return tf.reduce_sum(x, [1, 2, 3])
