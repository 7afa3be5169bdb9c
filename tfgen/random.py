"""Randomness without state: a seed is a value, and the same seed draws the same numbers on any device.

The generator is named (Philox): left to choose, TensorFlow takes another one under XLA, and a compiled run
would draw other numbers.

A training step draws from `fold_in(fold_in(root, step), replica)`, so a resumed run draws what the
uninterrupted run would have drawn. This is the only file that draws.
"""

import tensorflow as tf

from tfgen.types import Seed

GENERATOR = "philox"


def root(seed: int) -> Seed:
    """The seed that all others of a run are folded from.

    Args:
        seed: any integer.

    Returns:
        int32 [2].
    """
    return tf.random.fold_in(tf.constant([0, 0], tf.int32), tf.cast(seed, tf.int32), alg=GENERATOR)


def fold_in(seed: Seed, data: int | tf.Tensor) -> Seed:
    """A new seed, determined by `seed` and an integer such as a step or a replica.

    Args:
        seed: int32 [2].
        data: an integer scalar.

    Returns:
        int32 [2].
    """
    return tf.random.fold_in(seed, tf.cast(data, tf.int32), alg=GENERATOR)


def split(seed: Seed, num: int = 2) -> list[Seed]:
    """`num` independent seeds from one.

    Args:
        seed: int32 [2].
        num: how many, static.

    Returns:
        `num` seeds, int32 [2] each.
    """
    return tf.unstack(tf.random.split(seed, num, alg=GENERATOR))


def normal(shape, seed: Seed, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Standard normal draws of the given shape."""
    return tf.random.stateless_normal(shape, seed, dtype=dtype, alg=GENERATOR)


def uniform(shape, seed: Seed, minval=0.0, maxval=1.0, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Uniform draws in [minval, maxval) of the given shape; integer dtypes draw integers."""
    return tf.random.stateless_uniform(shape, seed, minval=minval, maxval=maxval, dtype=dtype, alg=GENERATOR)


def shuffled(position: tf.Tensor, size: int, seed: Seed) -> tf.Tensor:
    """Which example stands at each position of an endless stream that visits all of them once an epoch.

    Nothing is stored, so starting anywhere costs nothing.

    Args:
        position: int64 [b], positions in the stream from 0.
        size: how many examples there are, at least 1.
        seed: int32 [2]; epoch e is permuted by (seed, e).

    Returns:
        int64 [b], indices in [0, size).
    """
    epoch = tf.cast(position // size, tf.int32)
    key = tf.stack([tf.fill(tf.shape(epoch), seed[0]), tf.fill(tf.shape(epoch), seed[1]), epoch], axis=1)
    # the op's permutations favour some first elements; a random rotation of each evens that out
    turn = tf.fill(tf.shape(epoch), -1)
    rotation = _shuffle(tf.cast(epoch, tf.int64), tf.stack([key[:, 0], key[:, 1], turn], axis=1), 2**31 - 1)
    return (_shuffle(position % size, key, size - 1) + rotation) % size


def _shuffle(index: tf.Tensor, key: tf.Tensor, largest: int) -> tf.Tensor:
    """Where a keyed permutation of 0 .. largest takes each index."""
    # tf.random.experimental.index_shuffle refuses a seed per position (TensorFlow 2.21), its op does not
    return tf.raw_ops.RandomIndexShuffle(index=index, seed=key, max_index=tf.constant(largest, tf.int64), rounds=4)
