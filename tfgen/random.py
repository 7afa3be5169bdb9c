"""Randomness without state: a seed is a value, and one seed draws one result on any device.

A training step draws from `fold_in(fold_in(root, step), replica)`, so that a resumed run draws what
the uninterrupted run would have drawn. This is the only file that draws.

Where one seed [2] is expected, several [s, 2] will do. The first axis of what is drawn then falls
into s equal shares, and each seed draws its own share, to the number as it would alone. So served
requests do not disturb each other.

The generator is Philox. TensorFlow chooses it on CPUs and GPUs, and may choose another one under
XLA. XLA also makes other fractions and normals of the generator's words. A hidden argument (a
`ContextVar`) tells the draws of this file that what is traced is for XLA: they then name the
generator, and make fractions and normals themselves, so that a compiled run draws what others draw.
`compiled` sets it, for its thread and its `with` block. Whoever traces for XLA must enter
`compiled`; it is no argument of each draw, since kernels and nets between the two do not know who
traces them.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import tensorflow as tf

from tfgen.types import Integer, Noise, Seed

MANTISSA = 23
"""Bits of a float32's fraction: the lower ones of a word."""

_COMPILED: ContextVar[bool] = ContextVar("compiled", default=False)


@contextlib.contextmanager
def compiled(by_xla: bool = True) -> Iterator[None]:
    """Surrounds tracing for XLA: floats are drawn as TensorFlow draws them without it, to rounding.

    Args:
        by_xla: whether XLA compiles what is traced; else nothing changes, and TensorFlow's own
            draws, which are faster, are kept.
    """
    token = _COMPILED.set(by_xla)
    try:
        yield
    finally:
        _COMPILED.reset(token)


def root(seed: int) -> Seed:
    """Returns the seed that all others of a run are folded from.

    Args:
        seed: any integer.

    Returns:
        int32 [2].
    """
    return _folded(tf.constant([0, 0], tf.int32), seed)


def fold_in(seed: Seed, data: Integer) -> Seed:
    """Returns a new seed, determined by a seed and an integer such as a step or a replica.

    Args:
        seed: int32 [2], or several.
        data: an integer scalar.

    Returns:
        As many seeds; of given noise the one of this number.
    """
    if isinstance(seed, Noise):
        return Noise(seed.values[data])
    return _each(lambda one: _folded(one, data), seed)


def split(seed: Seed, num: int = 2) -> list[Seed]:
    """Returns independent seeds from one.

    Args:
        seed: int32 [2], or several.
        num: how many; a Python number.

    Returns:
        `num` seeds, int32 [2] each, or several each; of given noise the first draw and the rest.
    """
    if isinstance(seed, Noise):
        return [Noise(seed.values[0]), Noise(seed.values[1:])]
    return tf.unstack(_each(lambda one: tf.random.split(one, num, alg=_generator()), seed), axis=-2)


def normal(shape, seed: Seed, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Draws standard normal numbers.

    Args:
        shape: of the result.
        seed: int32 [2], or several, whose number divides the first axis; or the noise itself.
        dtype: a floating type.

    Returns:
        A tensor of this shape.

    Example:
        ```python
        noise = random.normal([16, 32, 32, 3], random.root(0))
        ```
    """
    if isinstance(seed, Noise):
        return tf.reshape(tf.cast(seed.values, dtype), shape)

    def draw(share, one):
        if _COMPILED.get() and dtype == tf.float32:
            return _normals(share, one)
        return tf.random.stateless_normal(share, one, dtype=dtype, alg=_generator())

    return _shares(draw, shape, seed, dtype)


def uniform(shape, seed: Seed, minval=0.0, maxval=1.0, dtype: tf.DType = tf.float32) -> tf.Tensor:
    """Draws uniform numbers in [minval, maxval).

    Args:
        shape: of the result.
        seed: int32 [2], or several, whose number divides the first axis.
        minval: the least value.
        maxval: the upper end, which is not drawn.
        dtype: a floating type, or an integer type to draw integers.

    Returns:
        A tensor of this shape.
    """

    def draw(share, one):
        if _COMPILED.get() and dtype == tf.float32:
            return _fractions(share, one) * (maxval - minval) + minval
        return tf.random.stateless_uniform(
            share, one, minval=minval, maxval=maxval, dtype=dtype, alg=_generator()
        )

    return _shares(draw, shape, seed, dtype)


def _folded(seed: Seed, data: Integer) -> Seed:
    """Folds an integer into one seed."""
    return tf.random.fold_in(seed, tf.cast(data, tf.int32), alg=_generator())


def _generator() -> str:
    """Returns the name of the generator.

    It is Philox either way: to name it makes some fifteen operations of each draw, which take
    longer to trace and to run than the draw.
    """
    return "philox" if _COMPILED.get() else "auto_select"


def _fractions(shape, seed: Seed) -> tf.Tensor:
    """Draws uniform fractions in [0, 1) from the generator's words."""
    words = tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.int32, alg=_generator()
    )
    return tf.cast(tf.bitwise.bitwise_and(words, 2**MANTISSA - 1), tf.float32) * 2.0**-MANTISSA


def _normals(shape, seed: Seed) -> tf.Tensor:
    """Draws standard normal numbers from the generator's words, by Box and Muller's transform."""
    shape = tf.convert_to_tensor(shape, tf.int32)
    count = tf.reduce_prod(shape)
    u, v = tf.unstack(tf.reshape(_fractions([count + count % 2], seed), [-1, 2]), axis=1)
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(u, 1e-7)))
    angle = 2 * math.pi * v
    pairs = tf.stack([radius * tf.sin(angle), radius * tf.cos(angle)], axis=1)
    return tf.reshape(tf.reshape(pairs, [-1])[:count], shape)


def several(seed: Seed) -> bool:
    """Returns whether a seed is several, [s, 2]."""
    return tf.convert_to_tensor(seed).shape.rank == 2


def _each(derive: Callable[[Seed], Seed], seed: Seed) -> Seed:
    """Derives new seeds from a seed, or from each of several."""
    return tf.map_fn(derive, seed) if several(seed) else derive(seed)


def _shares(draw: Callable[..., tf.Tensor], shape, seed: Seed, dtype: tf.DType) -> tf.Tensor:
    """Draws by one seed, or the shares of several seeds one after the other."""
    if not several(seed):
        return draw(shape, seed)
    shape = tf.convert_to_tensor(shape, tf.int32)
    share = tf.concat([shape[:1] // tf.maximum(tf.shape(seed)[0], 1), shape[1:]], axis=0)
    shares = tf.map_fn(lambda one: draw(share, one), seed, fn_output_signature=dtype)
    return tf.reshape(shares, shape)


def shuffled(position: tf.Tensor, size: int, seed: tf.Tensor) -> tf.Tensor:
    """Returns the examples at positions of an endless stream that visits each once an epoch.

    Nothing is stored, so that starting anywhere costs nothing.

    Args:
        position: int64 [b], positions in the stream from 0.
        size: how many examples there are, at least 1.
        seed: int32 [2], no given noise; epoch e is permuted by (seed, e).

    Returns:
        int64 [b], indices in [0, size).
    """
    epoch = tf.cast(position // size, tf.int32)
    first, second = (tf.fill(tf.shape(epoch), word) for word in (seed[0], seed[1]))
    key = tf.stack([first, second, epoch], axis=1)
    # the op's permutations favour some first elements; a random rotation of each undoes this
    rotation_key = tf.stack([first, second, tf.fill(tf.shape(epoch), -1)], axis=1)
    rotation = _shuffle(tf.cast(epoch, tf.int64), rotation_key, 2**31 - 1)
    return (_shuffle(position % size, key, size - 1) + rotation) % size


def _shuffle(index: tf.Tensor, key: tf.Tensor, largest: int) -> tf.Tensor:
    """Returns where a keyed permutation of 0 .. largest takes each index."""
    # `tf.random.experimental.index_shuffle` refuses a seed per position (TensorFlow 2.21)
    return tf.raw_ops.RandomIndexShuffle(
        index=index, seed=key, max_index=tf.constant(largest, tf.int64), rounds=4
    )
