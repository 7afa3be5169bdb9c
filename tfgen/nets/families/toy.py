"""A small net for densities in a few dimensions, given as images of one or a few pixels.

| layer | filters | size            |
|-------|---------|-----------------|
| 1     | 64      | the whole image |
| 2     | 64      | 1               |
| top   | outputs | 1               |
"""

from tfgen.nets.architectures.builders import growing_energy_builder
from tfgen.nets.architectures.roles import Size
from tfgen.nets.convolution.layers import Conv


def _layers(image_shape: Size, width: float) -> list[Conv]:
    """Returns the convolutions, given the images and the factor on the numbers of units."""
    units = round(64 * width)
    first = Conv(units, image_shape[:2], initializer_scale=0.5)
    return [first, Conv(units, 1, initializer_scale=units**-0.5)]


energy = growing_energy_builder(_layers)
