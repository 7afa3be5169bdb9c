"""Draws that depend on an example's place in the whole batch, not on who draws them."""

import contextlib
from unittest import mock

import tensorflow as tf

from tfgen import microbatches, random


def normal(shape, *_, **__):
    """Returns numbers that depend on a row's place in the batch of all replicas."""
    context = tf.distribute.get_replica_context()
    replica = 0 if context is None else context.replica_id_in_sync_group
    part = replica * microbatches.count() + microbatches.number()
    rows = tf.cast(tf.range(shape[0]) + part * shape[0], tf.float32)
    places = tf.range(tf.reduce_prod(shape[1:]), dtype=tf.float32)
    return tf.reshape(1.4 * tf.sin(2.3 * rows[:, None] + 1.1 * places + 0.5), shape)


def uniform(shape, seed, minval=0.0, maxval=1.0, dtype=tf.float32):
    """Returns a place in the interval, always the same."""
    del seed
    least, most = tf.cast(minval, tf.float32), tf.cast(maxval, tf.float32)
    return tf.fill(shape, tf.cast(least + 0.4 * (most - least), dtype))


@contextlib.contextmanager
def placed():
    """Within the block, all draws are these."""
    with (
        mock.patch.object(random, "normal", normal),
        mock.patch.object(random, "uniform", uniform),
    ):
        yield
