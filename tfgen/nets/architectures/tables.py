"""Tables of architectures, as papers print them, and the layers that they stand for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tfgen.errors import UserError
from tfgen.nets.architectures.roles import Size
from tfgen.nets.convolution.frames import Taps
from tfgen.nets.convolution.layers import Conv

WHOLE = None
"""The size of a layer that covers the whole map below it."""


Sizes = tuple[int, int | tuple[int, int], int, int, Taps | None]
"""Filters, kernel size, strides, padding of a layer, and its taps in time."""


class Row(NamedTuple):
    """A layer in a paper's table of an architecture."""

    filters: int
    size: int | tuple[int, int] | None
    """Of the kernel; `WHOLE` for that of the map below."""
    strides: int = 1
    padding: int = 0
    time: Taps | None = None
    """Of a layer of clips."""

    def scaled(self, width: float) -> "Row":
        """Returns the row with `width` times the filters."""
        return self._replace(filters=round(self.filters * width))

    def over(self, sides: Sequence[int]) -> Sizes:
        """Returns the sizes of the layer over a map of these sides, height and width at the end."""
        size = (sides[-2], sides[-1]) if self.size is None else self.size
        return self.filters, size, self.strides, self.padding, self.time


def convs_of_table(
    rows: Sequence[Row], image_shape: Size, *, width: float, **options: Any
) -> tuple[list[Conv], tuple]:
    """Returns convolutions without biases, as a table has them.

    Args:
        rows: the table, from the image up.
        image_shape: height, width, channels; before these, frames of clips.
        width: factor on the numbers of filters.
        options: see `Conv`.

    Returns:
        The layers, and the shape of the last one's maps, the batch first.

    Raises:
        UserError: if the images are too small.
    """
    convs: list[Conv] = []
    shape: tuple = (None, *image_shape)
    for row in rows:
        sizes = row.scaled(width).over(shape[1:-1])
        convs.append(Conv(*sizes, use_bias=False, **options))
        shape = convs[-1].compute_output_shape(shape)
        if min(shape[1:-1]) < 1:
            raise too_small(image_shape)
    return convs, shape


def too_small(image_shape: Size) -> UserError:
    """Returns the error of images that are too small for a table."""
    found = image_shape[:-1]
    return UserError(f"image_size: expected larger images for this net and found {found}")
