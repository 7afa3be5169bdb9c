"""Energies of pictures of any size, by the patches of a grid."""

import tensorflow as tf

from tfgen import patches
from tfgen.types import Energy, EnergyFn, Image, Integer, Places

STEPS_A_SIDE = 4
"""Steps of the grid within a patch's side: this many squared patches cover a pixel inside."""


def on_grid(energy: EnergyFn, image: Image, size: int) -> tuple[Energy, tf.Tensor]:
    """Computes the mean energy of the patches on a grid, and its map.

    The grid begins and ends flush with the picture's border, so that patches cover every pixel.

    Args:
        energy: of patches [n, size, size, c].
        image: [b, h, w, c], each side at least `size`.
        size: side of a patch.

    Returns:
        Energies [b], and at each pixel the mean of the patches that cover it, [b, h, w, 1].
    """
    count, height, width, _ = tf.unstack(tf.shape(image))
    tops, lefts = _starts(height, size), _starts(width, size)

    def row(top: tf.Tensor) -> tf.Tensor:
        at = _places(count, top[tf.newaxis], lefts)
        return energy(patches.cut(image, at, size))

    # a row of the grid at a time, since all patches of a large picture would not fit into memory
    rows = tf.map_fn(row, tops, fn_output_signature=tf.float32, parallel_iterations=1)
    each = tf.transpose(tf.reshape(rows, [tf.size(tops), count, tf.size(lefts)]), [1, 0, 2])
    flat = tf.reshape(each, [-1])
    level = flat[:, tf.newaxis, tf.newaxis, tf.newaxis] + tf.zeros([1, size, size, 1])
    shape = tf.stack([count, height, width, 1])
    found = patches.average(level, _places(count, tops, lefts), shape)
    return tf.reduce_mean(each, axis=[1, 2]), found


def _starts(side: Integer, size: int) -> tf.Tensor:
    """Returns the first rows, or columns, of the patches of a grid, int32 [n]."""
    last, stride = side - size, max(size // STEPS_A_SIDE, 1)
    gaps = tf.cast(tf.math.ceil(last / stride), tf.int32)
    share = tf.cast(tf.range(gaps + 1), tf.float32) / tf.cast(tf.maximum(gaps, 1), tf.float32)
    return tf.cast(tf.round(share * tf.cast(last, tf.float32)), tf.int32)


def _places(count: Integer, tops: tf.Tensor, lefts: tf.Tensor) -> Places:
    """Returns the places of a grid's patches in each of some images: images, rows, columns."""
    found = tf.meshgrid(tf.range(count), tops, lefts, indexing="ij")
    return Places(*(tf.reshape(numbers, [-1]) for numbers in found))
