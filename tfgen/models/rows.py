"""Weights with a row for each of some things, such as chains: alike on all replicas."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf


def add(layer: keras.layers.Layer, shape: tuple[int, ...], start: Callable, name: str):
    """Adds a weight to a layer, which may have no rows.

    Args:
        layer: of the weight.
        shape: of the weight; the first entry is the number of rows.
        start: its initializer.
        name: of the weight.

    Returns:
        The weight. What the first replica assigns counts.
    """

    def added() -> keras.Variable:
        return layer.add_weight(
            shape=shape,
            initializer=start,
            trainable=False,
            aggregation="only_first_replica",
            name=name,
        )

    strategy = tf.distribute.get_strategy()
    if math.prod(shape) or not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return added()
    # the first worker sends each initial value to the others, and TensorFlow crashes at empty ones
    with _one_row_first(shape):
        weight = added()
    weight.value.assign(tf.zeros(shape, weight.dtype))
    return weight


@contextmanager
def _one_row_first(shape: tuple[int, ...]) -> Iterator[None]:
    """Within the block, variables are made with one row, and may have another number later."""

    def create(next_creator, **options):
        dtype = options["dtype"]
        options["initial_value"] = lambda: tf.zeros((1, *shape[1:]), dtype)
        options["shape"] = tf.TensorShape((None, *shape[1:]))
        return next_creator(**options)

    with tf.variable_creator_scope(create):
        yield
