"""Square patches of images: draws their places, cuts them out and puts them back together."""

import tensorflow as tf
from jaxtyping import Int, Num

from tfgen import random
from tfgen.types import Integer, Places, Seed


def places(
    which: Int[tf.Tensor, "n"],
    height: Integer,
    width: Integer,
    size: int,
    seed: Seed,
    wrap: tf.Tensor | bool = False,
) -> Places:
    """Draws places of patches anywhere inside of their images, with equal probability.

    Args:
        which: int32 [n], the image that each is cut from.
        height: of the images, at least `size`.
        width: of the images, at least `size`.
        size: side of a patch.
        seed: int32 [2].
        wrap: whether patches may begin at any pixel, and reach over the border to the other side.
    """
    down, across = random.split(seed)
    beyond = tf.where(wrap, 0, size - 1)
    top = random.uniform(tf.shape(which), down, 0, height - beyond, tf.int32)
    left = random.uniform(tf.shape(which), across, 0, width - beyond, tf.int32)
    return Places(which, top, left)


def places_over(
    missing: Num[tf.Tensor, "m height width 1"], which: Int[tf.Tensor, "n"], size: int, seed: Seed
) -> Places:
    """Draws places of patches that have a missing pixel, inside of their images.

    A missing pixel is drawn, each with equal probability, then the place of the patch about it. At
    the border of the image a patch is moved inwards.

    Args:
        missing: 1 where a pixel is missing, [m, h, w, 1]; each side at least `size`.
        which: int32 [n], the image that each is cut from. Of an image without a missing pixel,
            patches are cut at the last one.
        size: side of a patch.
        seed: int32 [2].
    """
    pixel_seed, down, across = random.split(seed, 3)
    _, height, width, _ = tf.unstack(tf.shape(missing))
    flat = tf.reshape(tf.cast(missing > 0, tf.int32), [-1, height * width])
    so_far = tf.gather(tf.cumsum(flat, axis=1), which)  # missing pixels up to each
    total = so_far[:, -1]
    share = random.uniform(tf.shape(which), pixel_seed)
    # the product may round up to the total itself
    number = tf.minimum(tf.cast(share * tf.cast(total, tf.float32), tf.int32), total - 1)
    found = tf.searchsorted(so_far, number[:, tf.newaxis], side="right")[:, 0]
    pixel = tf.minimum(found, height * width - 1)
    top = pixel // width - random.uniform(tf.shape(which), down, 0, size, tf.int32)
    left = pixel % width - random.uniform(tf.shape(which), across, 0, size, tf.int32)
    return Places(
        which,
        tf.clip_by_value(top, 0, height - size),
        tf.clip_by_value(left, 0, width - size),
    )


def cut(
    images: Num[tf.Tensor, "m height width c"], at: Places, size: int
) -> Num[tf.Tensor, "n {size} {size} c"]:
    """Cuts out the patches at some places.

    Args:
        images: [m, h, w, c].
        at: n places; what reaches over the border goes on at the other side.
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
    rows = which[:, tf.newaxis] * shape[1] + (top[:, tf.newaxis] + side) % shape[1]
    columns = (left[:, tf.newaxis] + side) % shape[2]
    return rows[:, :, tf.newaxis] * shape[2] + columns[:, tf.newaxis, :]
