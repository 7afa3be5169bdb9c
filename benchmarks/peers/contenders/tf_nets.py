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
    """Computes the sum of the last maps, [b]."""
    for layer in layers:
        around = [layer.padding] * 2
        x = tf.nn.conv2d(x, layer.kernel, layer.strides, [[0, 0], around, around, [0, 0]])
        if layer.bias is not None:
            x = x + layer.bias
        x = ACTIVATIONS[layer.activation](x)
    return tf.reduce_sum(x, [1, 2, 3])


def avoid_duplicated_loop_variables() -> None:
    """Turns an optimization off that gives some loops a variable twice (tensorflow issue 33713)."""
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
