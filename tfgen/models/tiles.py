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
        tiles: [b, rows, columns, h, w, c]; of clips [b, times, rows, columns, t, h, w, c].

    Returns:
        [b, height, width, c] or [b, length, height, width, c], which the tiles cover exactly.
    """
    for axes in range(tiles.shape.rank // 2 - 1, 0, -1):
        # the last of the grid's axes and the last side not joined yet go to the end, become one
        # side there, and go back to the place of the latter
        order = list(range(tiles.shape.rank))
        grid, side = order[axes], order[2 * axes]
        rest = [axis for axis in order if axis not in (grid, side)]
        joined = _joined(tf.transpose(tiles, (*rest, grid, side)))
        last = joined.shape.rank - 1
        place = 2 * axes - 1
        tiles = tf.transpose(joined, (*range(place), last, *range(place, last)))
    return tiles


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
