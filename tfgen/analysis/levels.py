"""Levels of grey: in how many steps the numbers of images go from -1 to 1."""

import numpy as np

BYTE = 256
"""Levels of a byte, also assumed of numbers without any levels."""

FINEST = 128
"""Levels that are counted, at most: finer ones are not told apart from those of a byte."""

COARSE = 64
"""Levels up to which those of a byte are 4 apart, so that one off is still told apart."""


def count_levels(images: np.ndarray) -> int:
    """Counts the levels of an equally spaced scale from -1 to 1 that holds all numbers of images.

    The scale is the coarsest one that fits. Levels that were stored as bytes may be rounded either
    way. Numbers that fit no scale, such as those of resized images, count as of 256 levels.

    Args:
        images: in [-1, 1], of any shape.

    Returns:
        From 2 to 128, or 256.

    Example:
        >>> from tfgen.data import examples
        >>> count_levels(examples.load("digits").train.shown(100))  # 0 to 16
        17
    """
    greys = (np.unique(images).astype(np.float64) + 1) * 127.5
    # a scale has at least as many levels as there are different numbers
    for count in range(max(2, len(greys)), FINEST + 1):
        apart = 255 / (count - 1)
        off = np.abs(greys - np.round(greys / apart) * apart)
        if off.max() <= (1.001 if count <= COARSE else 0.501):
            return count
    return BYTE


def dequantized(images: np.ndarray, levels: int, rng: np.random.Generator) -> np.ndarray:
    """Undoes the rounding of images by uniform noise within each level's share of [-1, 1].

    The first and the last level have half a share, since the box ends there.

    Args:
        images: [n, ...] in [-1, 1].
        levels: that their numbers were rounded to.
        rng: draws the noise.

    Returns:
        float32 [n, ...] in [-1, 1].
    """
    noise = rng.uniform(-1, 1, images.shape) / (levels - 1)
    return mirrored(images + noise).astype(np.float32)


def mirrored(x: np.ndarray) -> np.ndarray:
    """Returns numbers beyond 1 or below -1 mirrored there."""
    return np.where(np.abs(x) > 1, np.sign(x) * (2 - np.abs(x)), x)


def bits_per_dim(nats: float, images: np.ndarray, levels: int) -> float:
    """Computes the bits that each number of an image takes, given a density.

    A level has the probability of its share of [-1, 1]: the density times 2 / (levels - 1), or half
    of it at either end.

    Args:
        nats: the mean log p(x), of images in [-1, 1].
        images: [n, ...], not dequantized, whose numbers are at either end or not.
        levels: that their numbers were rounded to.
    """
    size = images[0].size
    at_ends = float(np.mean(np.abs(images) > 1 - 1 / (levels - 1)))
    return -nats / (size * np.log(2)) + np.log2((levels - 1) / 2) + at_ends
