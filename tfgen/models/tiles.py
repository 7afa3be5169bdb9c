"""Tiles laid side by side: neighbours overlap and are blended, so that no seam is left."""

import tensorflow as tf

from tfgen.types import Image, Integer

SHARE = 4
"""Neighbours overlap by one part in so many of a tile's side."""


def across(side: Integer, tile: int) -> tf.Tensor:
    """Computes how many tiles cover a side, with their overlaps.

    Args:
        side: of the whole, pixels.
        tile: side of a tile, pixels.
    """
    overlap = tile // SHARE
    return tf.maximum(-((overlap - side) // (tile - overlap)), 1)


def blended(tiles: tf.Tensor) -> Image:
    """Lays tiles side by side, each overlapping its neighbours by a quarter of its side.

    Where two overlap, the weight of one falls linearly from one to zero while the other's rises.

    Args:
        tiles: [b, rows, columns, h, w, c].

    Returns:
        [b, height, width, c], which the tiles cover exactly.
    """
    tiles = tf.transpose(tiles, (0, 1, 3, 5, 2, 4))  # [b, rows, h, c, columns, w]
    bands = _joined(tiles)  # [b, rows, h, c, width]
    whole = _joined(tf.transpose(bands, (0, 3, 4, 1, 2)))  # [b, c, width, height]
    return tf.transpose(whole, (0, 3, 2, 1))


def _joined(tiles: tf.Tensor) -> tf.Tensor:
    """Joins tiles [..., number, side] along their last axis, to [..., length]."""
    number, side = tf.shape(tiles)[-2], tiles.shape[-1]
    overlap = side // SHARE
    place = tf.range(side, dtype=tf.float32)
    nearest = tf.minimum(place, side - 1 - place)  # pixels to the tile's nearer end
    weight = tf.minimum((nearest + 0.5) / max(overlap, 1), 1.0)
    step = side - overlap
    total = tf.signal.overlap_and_add(tf.tile(weight[tf.newaxis], [number, 1]), step)
    return tf.signal.overlap_and_add(tiles * weight, step) / total
