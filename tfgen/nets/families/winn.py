"""A critic in the manner of Wasserstein introspective networks (WINN), for images of any even size.

| layer | filters     | convolution | after it                  |
|-------|-------------|-------------|---------------------------|
| 1     | 24          | 3, s1 p1    | swish, pool 2             |
| 2     | 48          | 3, s1 p1    | layer norm, swish, pool 2 |
| 3     | 96          | 3, s1 p1    | layer norm, swish, pool 2 |
| 4     | 96          | 3, s1 p1    | layer norm, swish         |
| top   | 1, the map  | -           | -                         |

Size, stride s, padding p; average pooling; biases but on top; weights start as He's. This is the
table of images of 32x32. Filters double from layer to layer, and layers are added or left out until
the last map has 4x4 places, or a side that 2 does not divide. A net of stride 1 with pooling draws
no checkerboard by back-propagation, as one of strided filters does.
Deviation: the paper has two convolutions between poolings, and wider ones.

Source: Lee, Xu, Fan and Tu, Wasserstein introspective neural networks, CVPR 2018.
"""

from tfgen.nets.architectures.builders import Width
from tfgen.nets.architectures.pooled import PooledDiscriminator
from tfgen.nets.architectures.roles import Size

FILTERS = 24
"""Of the first layer."""

TOP = 4
"""The least side of the last map that pooling leads to."""


def discriminator(image_shape: Size, *, width: Width = 1.0) -> PooledDiscriminator:
    """Returns the critic: a score, high for images and low for samples.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters; the first layer's is rounded.

    Returns:
        A net from [b, h, w, c] to [b].
    """
    first, sides = round(FILTERS * width), image_shape[:2]
    filters: list[int] = []
    while all(side % 2 == 0 and side >= 2 * TOP for side in sides):
        filters.append(first * 2 ** len(filters))
        sides = (sides[0] // 2, sides[1] // 2)
    return PooledDiscriminator([*filters, filters[-1] if filters else first], image_shape)
