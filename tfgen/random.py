"""Randomness without state: a seed is a value, and the same seed draws the same numbers on any device.

The generator is named (Philox): left to choose, TensorFlow takes another one under XLA. Of the same words XLA makes
other fractions and normals, too: within `compiled` they are made here, and a compiled run draws what others draw.

A training step draws from `fold_in(fold_in(root, step), replica)`, so a resumed run draws what the
uninterrupted run would have drawn. This is the only file that draws.

Where one seed [2] is expected, several [s, 2] will do: the first axis of what is drawn then falls into s equal
shares, and each seed draws its own, to the number as it would alone. So served requests do not disturb each other.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import tensorflow as tf

from tfgen.types import Integer, Seed

GENERATOR = "philox"
MANTISSA = 23
"""Bits of a float32's fraction, the lower ones of a word."""

_COMPILED: ContextVar[bool] = ContextVar("compiled", default=False)


@contextlib.contextmanager
def compiled(by_xla: bool = True) -> Iterator[None]:
    """Around the tracing of what XLA compiles: floats are drawn as TensorFlow draws them outside of XLA, to rounding.

    Args:
        by_xla: whether it does; else nothing changes, and TensorFlow's own draws, which are faster, stay.
    """
    token = _COMPILED.set(by_xla)
    try:
        yield
    finally:
        _COMPILED.reset(token)


def root(seed: int) -> Seed:
    """The seed that all others of a run are folded from.

    Args:
        seed: any integer.

    Returns:
        int32 [2].
    """
    return tf.random.fold_in(tf.constant([0, 0], tf.int32), tf.cast(seed, tf.int32), alg=GENERATOR)


def fold_in(seed: Seed, data: Integer) -> Seed:
    """A new seed, determined by `seed` and an integer such as a step or a replica.

    Args:
        seed: int32 [2], or several.
        data: an integer scalar.

    Returns:
        As many seeds.
    """
    return _each(lambda one: tf.random.fold_in(one, tf.cast(data, tf.int32), alg=GENERATOR), seed)


def split(seed: Seed, num: int = 2) -> list[Seed]:
    """`num` independent seeds from one.

    Args:
        seed: int32 [2], or several.
        num: how many, static.

    Returns:
        `num` seeds, int32 [2] each, or several each.
    """
    return tf.unstack(_each(lambda one: tf.random.split(one, num, alg=GENERATOR), seed), axis=-2)


def normal(shape, seed: Seed, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Standard normal draws of the given shape."""

    def draw(share, one):
        if _COMPILED.get() and dtype == tf.float32:
            return _normals(share, one)
        return tf.random.stateless_normal(share, one, dtype=dtype, alg=GENERATOR)

    return _shares(draw, shape, seed, dtype)


def uniform(shape, seed: Seed, minval=0.0, maxval=1.0, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Uniform draws in [minval, maxval) of the given shape; integer dtypes draw integers."""

    def draw(share, one):
        if _COMPILED.get() and dtype == tf.float32:
            return _fractions(share, one) * (maxval - minval) + minval
        return tf.random.stateless_uniform(
            share, one, minval=minval, maxval=maxval, dtype=dtype, alg=GENERATOR
        )

    return _shares(draw, shape, seed, dtype)


def _fractions(shape, seed: Seed) -> tf.Tensor:
    """Uniform draws in [0, 1) of the generator's words."""
    words = tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.int32, alg=GENERATOR
    )
    return tf.cast(tf.bitwise.bitwise_and(words, 2**MANTISSA - 1), tf.float32) * 2.0**-MANTISSA


def _normals(shape, seed: Seed) -> tf.Tensor:
    """Standard normal draws of the generator's words, two of two by Box and Muller's rule."""
    shape = tf.convert_to_tensor(shape, tf.int32)
    count = tf.reduce_prod(shape)
    u, v = tf.unstack(tf.reshape(_fractions([count + count % 2], seed), [-1, 2]), axis=1)
    radius, angle = tf.sqrt(-2 * tf.math.log(tf.maximum(u, 1e-7))), 2 * math.pi * v
    pairs = tf.stack([radius * tf.sin(angle), radius * tf.cos(angle)], axis=1)
    return tf.reshape(tf.reshape(pairs, [-1])[:count], shape)


def several(seed: Seed) -> bool:
    """Whether a seed is several, [s, 2]."""
    return tf.convert_to_tensor(seed).shape.rank == 2


def _each(derive: Callable[[Seed], Seed], seed: Seed) -> Seed:
    """What is derived from a seed, or from each of several."""
    return tf.map_fn(derive, seed) if several(seed) else derive(seed)


def _shares(draw: Callable[..., tf.Tensor], shape, seed: Seed, dtype: tf.DType) -> tf.Tensor:
    """A draw by one seed, or the shares of several one after the other."""
    if not several(seed):
        return draw(shape, seed)
    shape = tf.convert_to_tensor(shape, tf.int32)
    share = tf.concat([shape[:1] // tf.maximum(tf.shape(seed)[0], 1), shape[1:]], axis=0)
    return tf.reshape(
        tf.map_fn(lambda one: draw(share, one), seed, fn_output_signature=dtype), shape
    )


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
    key = tf.stack(
        [tf.fill(tf.shape(epoch), seed[0]), tf.fill(tf.shape(epoch), seed[1]), epoch], axis=1
    )
    # the op's permutations favour some first elements; a random rotation of each evens that out
    turn = tf.fill(tf.shape(epoch), -1)
    rotation = _shuffle(
        tf.cast(epoch, tf.int64), tf.stack([key[:, 0], key[:, 1], turn], axis=1), 2**31 - 1
    )
    return (_shuffle(position % size, key, size - 1) + rotation) % size


def _shuffle(index: tf.Tensor, key: tf.Tensor, largest: int) -> tf.Tensor:
    """Where a keyed permutation of 0 .. largest takes each index."""
    # tf.random.experimental.index_shuffle refuses a seed per position (TensorFlow 2.21), its op does not
    return tf.raw_ops.RandomIndexShuffle(
        index=index, seed=key, max_index=tf.constant(largest, tf.int64), rounds=4
    )
