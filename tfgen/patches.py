"""Square patches of images: draws their places, cuts them out and puts them back together."""

import tensorflow as tf
from jaxtyping import Int, Num

from tfgen import random
from tfgen.types import Integer, Places, Seed


def places(
    which: Int[tf.Tensor, "n"], height: Integer, width: Integer, size: int, seed: Seed
) -> Places:
    """Draws places of patches anywhere inside of their images, with equal probability.

    Args:
        which: int32 [n], the image that each is cut from.
        height: of the images, at least `size`.
        width: of the images, at least `size`.
        size: side of a patch.
        seed: int32 [2].
    """
    down, across = random.split(seed)
    top = random.uniform(tf.shape(which), down, 0, height - size + 1, tf.int32)
    left = random.uniform(tf.shape(which), across, 0, width - size + 1, tf.int32)
    return Places(which, top, left)


def cut(
    images: Num[tf.Tensor, "m height width c"], at: Places, size: int
) -> Num[tf.Tensor, "n {size} {size} c"]:
    """Cuts out the patches at some places.

    Args:
        images: [m, h, w, c].
        at: n places.
        size: side of a patch.

    Returns:
        [n, size, size, c].
    """
    shape = tf.shape(images, tf.int64)
    patch = tf.gather(tf.reshape(images, [-1, images.shape[-1]]), _pixels(at, size, shape))
    return tf.ensure_shape(patch, [at.which.shape[0], size, size, images.shape[-1]])


def average(
    patches: Num[tf.Tensor, "n size size c"], at: Places, shape: Int[tf.Tensor, "4"]
) -> Num[tf.Tensor, "m height width c"]:
    """Puts patches back: each pixel is the mean of those that cover it, or 0 where none does.

    Args:
        patches: [n, size, size, c].
        at: their places.
        shape: int [4] of the images, [m, h, w, c].

    Returns:
        [m, h, w, c].
    """
    shape = tf.cast(shape, tf.int64)
    pixels = tf.reshape(_pixels(at, patches.shape[1], shape), [-1])
    number = shape[0] * shape[1] * shape[2]
    values = tf.reshape(patches, [-1, patches.shape[-1]])
    total = tf.math.unsorted_segment_sum(values, pixels, number)
    count = tf.math.unsorted_segment_sum(tf.ones_like(pixels, tf.float32), pixels, number)
    return tf.reshape(total / tf.maximum(count, 1.0)[:, tf.newaxis], shape)


def _pixels(at: Places, size: int, shape: tf.Tensor) -> tf.Tensor:
    """Computes the positions of patches' pixels in the row of all images' pixels.

    Returns:
        int64 [n, size, size].
    """
    # int64, since the row of all pixels of a data set may exceed 2^31
    which, top, left = (tf.cast(numbers, tf.int64) for numbers in at)
    side = tf.range(size, dtype=tf.int64)
    rows = (which * shape[1] + top)[:, tf.newaxis] + side
    columns = left[:, tf.newaxis] + side
    return rows[:, :, tf.newaxis] * shape[2] + columns[:, tf.newaxis, :]
