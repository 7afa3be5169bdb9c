"""Masks of clips: frames that are hidden, and a block that moves."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.types import Mask, Seed

NAMES = "frames:FIRST-LAST, moving_block:SIZE"
"""The masks of clips alone, in words."""

Shape = tuple[int, ...]
"""Batch, frames, height, width."""


def frames(shape: Shape, first: int, last: int) -> Mask:
    """Returns masks in which some frames are missing.

    Args:
        shape: batch, frames, height, width.
        first: number of the first missing frame, from 0.
        last: number of the last one.

    Returns:
        [b, t, h, w, 1].

    Raises:
        UserError: if there are no such frames.
    """
    batch, length, height, width = shape
    if not 0 <= first <= last < length:
        raise UserError(f"mask: expected frames from 0 to {length - 1} and found {first}-{last}")
    known = np.ones(length, np.float32)
    known[first : last + 1] = 0
    return tf.broadcast_to(known[:, None, None, None], (batch, length, height, width, 1))


def moving_block(shape: Shape, size: int, seed: Seed) -> Mask:
    """Draws masks in which a square block is missing that moves on a straight line.

    It goes at an even pace from one random place to another, inside the frames.

    Args:
        shape: batch, frames, height, width.
        size: side of the block in pixels, at least 1 and at most that of the frames.
        seed: int32 [2].

    Returns:
        [b, t, h, w, 1].

    Raises:
        UserError: if the block does not fit.
    """
    batch, length, height, width = shape
    if not 1 <= size <= min(height, width):
        raise UserError(f"mask: expected a block of 1 to {min(height, width)} pixels, found {size}")
    ends = random.uniform((2, batch, 1, 2), seed) * [height - size, width - size]
    at = tf.linspace(0.0, 1.0, length)[:, tf.newaxis]
    corner = tf.round((1 - at) * ends[0] + at * ends[1])  # [b, t, 2]
    hidden = [
        (places >= corner[..., axis, tf.newaxis]) & (places < corner[..., axis, tf.newaxis] + size)
        for axis, places in enumerate((tf.range(float(height)), tf.range(float(width))))
    ]
    both = hidden[0][..., :, tf.newaxis] & hidden[1][..., tf.newaxis, :]
    return 1 - tf.cast(both, tf.float32)[..., tf.newaxis]


def made(spec: str, shape: Shape, seed: Seed, of_images: Callable[[Shape], Mask]) -> Mask:
    """Makes the masks of a name: those of this module, or those of images, alike in all frames.

    Args:
        spec: `frames:FIRST-LAST`, `moving_block:SIZE`, or a mask of images.
        shape: batch, frames, height, width.
        seed: int32 [2].
        of_images: returns the masks of images, given batch, height and width.

    Returns:
        [b, t, h, w, 1].
    """
    kind, _, rest = spec.partition(":")
    try:
        if kind == "frames":
            first, last = map(int, rest.split("-"))
            return frames(shape, first, last)
        if kind == "moving_block":
            return moving_block(shape, int(rest), seed)
    except UserError:  # a ValueError too
        raise
    except ValueError as error:
        raise UserError(f"mask: expected {NAMES} or a mask of images, and found {spec}") from error
    batch, length, height, width = shape
    one = of_images((batch, height, width))[:, tf.newaxis]
    return tf.broadcast_to(one, (batch, length, height, width, 1))
