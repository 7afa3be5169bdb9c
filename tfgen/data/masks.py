"""Masks of missing pixels: 1 where a pixel is known, 0 where it is missing."""

import pathlib

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data import clip_masks, decode
from tfgen.errors import UserError
from tfgen.types import Mask, Seed

SIDES = ("top", "bottom", "left", "right")

RATES = {"P.5": 0.5, "P.7": 0.7}
"""The divergence triangle's patterns of missing pixels: their rates."""

BLOCKS = {"MB10": (10, 10), "B20": (1, 20), "B30": (1, 30)}
"""The divergence triangle's patterns of missing blocks: number and side, in images of 64x64."""

PATTERNS = (*RATES, *BLOCKS)

NAMES = (
    f"half:{'|'.join(SIDES)}, salt_and_pepper:RATE, blocks:NUMBERxSIZE, {', '.join(PATTERNS)} "
    "or an image file"
)
"""The names that `parse` takes, in words."""


def salt_and_pepper(shape: tuple[int, int, int], rate: float, seed: Seed) -> Mask:
    """Draws masks in which each pixel is missing independently, with a given probability.

    Args:
        shape: batch, height, width.
        rate: probability of a missing pixel, in [0, 1].
        seed: int32 [2].

    Returns:
        [b, h, w, 1].
    """
    return tf.cast(random.uniform((*shape, 1), seed) >= rate, tf.float32)


def blocks(shape: tuple[int, int, int], number: int, size: int, seed: Seed) -> Mask:
    """Draws masks in which square blocks are missing, each inside the image; they may overlap.

    Args:
        shape: batch, height, width.
        number: number of blocks in an image, not negative.
        size: side of a block in pixels, at least 1 and at most the image's.
        seed: int32 [2].

    Returns:
        [b, h, w, 1].

    Raises:
        UserError: if the number or the size is out of its range.
    """
    batch, height, width = shape
    if number < 0 or not 1 <= size <= min(height, width):
        raise UserError(
            f"mask: expected blocks of 1 to {min(height, width)} pixels and found {number}x{size}"
        )
    down, across = random.split(seed)
    top = random.uniform((batch, number, 1), down, 0, height - size + 1, tf.int32)
    left = random.uniform((batch, number, 1), across, 0, width - size + 1, tf.int32)
    # which rows, [b, number, height], and columns, [b, number, width], each block covers
    row, column = tf.range(height), tf.range(width)
    rows = (row >= top) & (row < top + size)
    columns = (column >= left) & (column < left + size)
    inside = rows[:, :, :, None] & columns[:, :, None, :]
    missing = tf.reduce_any(inside, axis=1)
    return 1 - tf.cast(missing, tf.float32)[..., None]


def half(shape: tuple[int, int, int], side: str) -> Mask:
    """Returns masks in which one half is missing; the middle of an odd side is known.

    Args:
        shape: batch, height, width.
        side: of the missing half: top, bottom, left or right.

    Returns:
        [b, h, w, 1].
    """
    batch, height, width = shape
    mask = np.ones((height, width), np.float32)
    missing = {
        "top": mask[: height // 2],
        "bottom": mask[(height + 1) // 2 :],
        "left": mask[:, : width // 2],
        "right": mask[:, (width + 1) // 2 :],
    }
    missing[side][...] = 0  # a view of the mask
    return tf.tile(tf.constant(mask)[None, :, :, None], [batch, 1, 1, 1])


def from_file(shape: tuple[int, int, int], path: str) -> Mask:
    """Reads a mask from an image file of the same size, of two greys: the lighter is known.

    Args:
        shape: batch, height, width.
        path: an image file.

    Returns:
        [b, h, w, 1].

    Raises:
        UserError: if the file cannot be read or decoded, has another size, or is no mask of two
            greys.
    """
    batch, height, width = shape
    file = pathlib.Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"mask: expected an image file and could not read {path}") from error
    known = decode.Decoder("mask").mask(file, content)
    if known.shape != (height, width):
        raise UserError(
            f"mask: expected {path} to be {height}x{width} like the images and found "
            f"{'x'.join(map(str, known.shape))}"
        )
    mask = tf.constant(known.astype(np.float32))
    return tf.tile(mask[None, :, :, None], [batch, 1, 1, 1])


def pattern(name: str, shape: tuple[int, int, int], seed: Seed) -> Mask:
    """Draws masks by one of the divergence triangle's patterns.

    Blocks are scaled to the images' smaller side.

    Args:
        name: one of `PATTERNS`.
        shape: batch, height, width.
        seed: int32 [2].

    Returns:
        [b, h, w, 1].

    Source: Divergence triangle, section on learning from incomplete images.
    """
    if name in RATES:
        return salt_and_pepper(shape, RATES[name], seed)
    number, size = BLOCKS[name]
    scaled = round(size * min(shape[1:]) / 64)
    return blocks(shape, number, max(1, scaled), seed)


def parse(spec: str, shape: tuple[int, ...], seed: Seed) -> Mask:
    """Makes the masks that a name on the command line asks for.

    Args:
        spec: `half:SIDE`, `salt_and_pepper:RATE`, `blocks:NUMBERxSIZE`, a name of `PATTERNS`, or
            the path of an image file; of clips also `frames:FIRST-LAST` or `moving_block:SIZE`.
        shape: batch, height, width; of clips batch, frames, height, width.
        seed: int32 [2].

    Returns:
        [b, h, w, 1]; of clips [b, t, h, w, 1].

    Raises:
        UserError: if the name is none of these, or the masks hide everything or nothing.

    Example:
        >>> from tfgen import random
        >>> parse("half:left", (1, 2, 4), random.root(0))[0, 0, :, 0].numpy()
        array([0., 0., 1., 1.], dtype=float32)
    """
    found = _made(spec, shape, seed)
    if not tf.reduce_any(found > 0):
        raise UserError(f"mask: expected some known pixels and found that {spec} hides all")
    # of few pixels, a draw at a low rate may hide none
    if tf.reduce_all(found > 0) and not _is_rate(spec):
        raise UserError(f"mask: expected some hidden pixels and found that {spec} hides none")
    return found


def _is_rate(spec: str) -> bool:
    """Tells whether a mask's pixels are drawn one by one, at a rate above 0."""
    kind, _, rest = spec.partition(":")
    return spec in RATES or (kind == "salt_and_pepper" and float(rest) > 0)


def _made(spec: str, shape: tuple[int, ...], seed: Seed) -> Mask:
    """Makes the masks of a name, whatever they hide."""
    if len(shape) == 4:
        return clip_masks.made(spec, shape, seed, lambda images: _made(spec, images, seed))
    batch, height, width = shape
    return _of_images(spec, (batch, height, width), seed)


def _of_images(spec: str, shape: tuple[int, int, int], seed: Seed) -> Mask:
    if spec in PATTERNS:
        return pattern(spec, shape, seed)
    kind, _, rest = spec.partition(":")
    try:
        if kind == "half" and rest in SIDES:
            return half(shape, rest)
        if kind == "salt_and_pepper" and 0 <= float(rest) <= 1:
            return salt_and_pepper(shape, float(rest), seed)
        if kind == "blocks":
            number, size = map(int, rest.split("x"))
            return blocks(shape, number, size, seed)
    except UserError:  # a ValueError too: of a mask that is known, but does not fit
        raise
    except ValueError:  # no numbers: the name may be that of a file
        pass
    if pathlib.Path(spec).is_file():
        return from_file(shape, spec)
    raise UserError(f"mask: expected {NAMES}, and found {spec}")


def mask(spec: str, images: np.ndarray | tf.Tensor, seed: int = 0) -> Mask:
    """Returns a mask for each of some images.

    Args:
        spec: such as half:bottom, salt_and_pepper:0.5 or blocks:1x4; see `NAMES`.
        images: [b, h, w, c], or clips [b, t, h, w, c].
        seed: of masks that are drawn.

    Returns:
        [b, h, w, 1] or [b, t, h, w, 1], 1 where a pixel is known.

    Raises:
        UserError: if there is no such mask, it does not fit the images, or it hides everything or
            nothing.

    Example:
        >>> images = np.zeros((2, 4, 4, 1), np.float32)
        >>> known = mask("half:bottom", images)  # for model.complete(images, known, seed=0)
        >>> known[0, :, 0, 0].numpy()
        array([1., 1., 0., 0.], dtype=float32)
    """
    found = parse(spec, tuple(images.shape[:-1]), random.root(seed))
    if tf.reduce_all(found > 0):
        raise UserError(f"mask: expected some hidden pixels and found that {spec} hides none")
    return found
