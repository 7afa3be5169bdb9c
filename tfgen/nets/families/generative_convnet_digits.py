"""A small object net for 8x8 images, in the manner of A Theory of Generative ConvNet, experiment 2.

| layer | filters | size            | sub-sampling | padding |
|-------|---------|-----------------|--------------|---------|
| 1     | 64      | 4               | 2            | 1       |
| 2     | 128     | the whole map   | -            | -       |
| top   | outputs | 1               | -            | -       |

Larger images have larger second-layer filters. Weights start at He's scale.
"""

from tfgen.nets.architectures.builders import growing_energy_builder
from tfgen.nets.architectures.roles import Size
from tfgen.nets.convolution.layers import Conv


def _layers(image_shape: Size, width: float) -> list[Conv]:
    """Returns the convolutions, given the images and the factor on the numbers of filters."""
    first = Conv(round(64 * width), 4, 2, 1, initializer_scale=None)
    map_size = first.compute_output_shape((None, *image_shape))[1:3]
    return [first, Conv(round(128 * width), map_size, initializer_scale=None)]


energy = growing_energy_builder(_layers, top_scales=(0.01, None))
