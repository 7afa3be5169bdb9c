"""Parts of a single picture: what training sees of it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tfgen.errors import UserError

SOURCES = ("image:", "textures/")
"""How the names of data sets of a single picture begin."""


class Box(NamedTuple):
    """A rectangle of pixels; rows and columns from `left` and `top`, up to the others, less one."""

    left: int
    top: int
    right: int
    bottom: int


def check_source(name: str) -> None:
    """Raises UserError unless a data set is a single picture, which alone has a part to take.

    Args:
        name: see `tfgen.data.sources`.
    """
    if not name.startswith(SOURCES):
        raise UserError(
            f"crop: expected a single picture, image:PATH or textures/NAME, and found {name}"
        )


def cropped(
    pictures: Iterator[tuple[np.ndarray, int | None]], box: Box
) -> Iterator[tuple[np.ndarray, int | None]]:
    """Yields the part of each picture that lies in a box.

    Args:
        pictures: [h, w] or [h, w, c], with their labels.
        box: inside of each.

    Raises:
        UserError: if it is empty, or not inside of a picture.
    """
    for picture, label in pictures:
        height, width = picture.shape[:2]
        across = 0 <= box.left < box.right <= width
        down = 0 <= box.top < box.bottom <= height
        if not (across and down):
            raise UserError(
                f"crop: expected LEFT,TOP,RIGHT,BOTTOM inside of the picture, which has "
                f"{width} columns and {height} rows, and found {','.join(map(str, box))}"
            )
        yield picture[box.top : box.bottom, box.left : box.right], label
