"""Tables of architectures, as papers print them, and the layers that they stand for."""

from collections.abc import Sequence
from typing import NamedTuple

from tfgen.errors import UserError
from tfgen.nets.convolution.layers import Conv

WHOLE = None
"""The size of a layer that covers the whole map below it."""


class Row(NamedTuple):
    """A layer in a paper's table of an architecture."""

    filters: int
    size: int | tuple[int, int] | None
    strides: int = 1
    padding: int = 0

    def scaled(self, width: float) -> "Row":
        """With so many times the filters."""
        return self._replace(filters=round(self.filters * width))

    def over(self, map_size: tuple[int, int]) -> "Row":
        """As it is over a map of this height and width, if it covers the whole."""
        return self._replace(size=tuple(map_size)) if self.size is WHOLE else self


def convs_of_table(
    rows: Sequence[Row], image_shape: tuple[int, int, int], *, width: float, **options
) -> tuple[list[Conv], tuple]:
    """Convolutions as a table has them, without biases.

    Args:
        rows: the table, from the image up.
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        options: see `Conv`.

    Returns:
        The layers, and the shape of the last one's maps, the batch first.

    Raises:
        UserError: if the images are too small.
    """
    convs, shape = [], (None, *image_shape)
    for row in rows:
        convs.append(Conv(*row.over(shape[1:3]).scaled(width), use_bias=False, **options))
        shape = convs[-1].compute_output_shape(shape)
        if min(shape[1:3]) < 1:
            raise UserError(
                f"image_size: expected larger images for this net and found {image_shape[:2]}"
            )
    return convs, shape
