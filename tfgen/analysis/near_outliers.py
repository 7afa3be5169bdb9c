"""Outliers that are near to data: made from the images themselves, with their grey values.

Uniform noise and plain images are far from any picture, so an energy that sees small parts of a
picture alone tells them apart. These have the parts of the data, and another whole.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from tfgen.errors import UserError

BLUR = 1.0
"""Standard deviation of the blur in pixels."""

Images = np.ndarray
"""float [n, h, w, c] in [-1, 1]."""


def flipped(image: Images, rng: np.random.Generator) -> Images:
    """Returns each image with left and right exchanged."""
    del rng
    return image[:, :, ::-1]


def permuted_quadrants(image: Images, rng: np.random.Generator) -> Images:
    """Returns each image with its quadrants in another order, in which none stays in its place."""
    found = image.copy()
    corners = _corners(image)
    for example, source in zip(found, image, strict=True):
        for place, other in zip(corners, _moved(4, rng), strict=True):
            example[place] = source[corners[other]]
    return found


def mixed_quadrants(image: Images, rng: np.random.Generator) -> Images:
    """Returns each image with two opposite quadrants of another image."""
    found, other = image.copy(), image[_moved(len(image), rng)]
    for place in _corners(image)[1:3]:
        found[:, *place] = other[:, *place]
    return found


def mean_of_two(image: Images, rng: np.random.Generator) -> Images:
    """Returns the mean of each image and another."""
    return (image + image[_moved(len(image), rng)]) / 2


def maximum_of_two(image: Images, rng: np.random.Generator) -> Images:
    """Returns the brighter of each image and another, pixel by pixel."""
    return np.maximum(image, image[_moved(len(image), rng)])


def blurred(image: Images, rng: np.random.Generator) -> Images:
    """Returns each image blurred by a Gaussian of standard deviation `BLUR`."""
    del rng
    return ndimage.gaussian_filter(image, (0, BLUR, BLUR, 0), mode="nearest")


KINDS: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    function.__name__: function
    for function in (
        flipped,
        permuted_quadrants,
        mixed_quadrants,
        mean_of_two,
        maximum_of_two,
        blurred,
    )
}
"""The kinds by name."""


def made_from(image: Images, seed: int) -> dict[str, Images]:
    """Returns outliers of each kind, as many as there are images.

    Args:
        image: [n, h, w, c] in [-1, 1], at least two of them.
        seed: of the pairs and of the orders of quadrants.

    Returns:
        Images of the same shape, by the name of their kind.

    Raises:
        UserError: if there is one image alone, or a side of less than two pixels.

    Example:
        >>> sorted(made_from(np.zeros((2, 8, 8, 1), np.float32), seed=0))[:2]
        ['blurred', 'flipped']
    """
    if image.ndim != 4 or len(image) < 2 or min(image.shape[1:3]) < 2:
        raise UserError(
            "outliers: expected at least two held-out images [h, w, c] with sides of two pixels or "
            f"more, for --outliers.hard, and found the shape {list(image.shape)}"
        )
    return {
        name: kind(image, np.random.default_rng([seed, number]))
        for number, (name, kind) in enumerate(KINDS.items())
    }


def _corners(image: Images) -> list[tuple[slice, slice]]:
    """Returns the places of the quadrants: upper left, upper right, lower left, lower right.

    They are equally large. The middle row or column of an odd side belongs to none.
    """
    rows, columns = image.shape[1] // 2, image.shape[2] // 2
    return [
        (row, column)
        for row in (slice(0, rows), slice(image.shape[1] - rows, None))
        for column in (slice(0, columns), slice(image.shape[2] - columns, None))
    ]


def _moved(count: int, rng: np.random.Generator) -> np.ndarray:
    """Returns numbers below `count` in a random order in which none is in its own place."""
    # a cycle through all of them
    order = rng.permutation(count)
    found = np.empty(count, int)
    found[order] = np.roll(order, 1)
    return found
