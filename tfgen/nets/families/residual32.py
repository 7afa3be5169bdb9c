"""A small residual energy for 32x32 images, in the manner of IGEBM's and JEM's nets.

| layer | filters | convolutions      | skip   |
|-------|---------|-------------------|--------|
| stem  | 64      | 3, s1 p1          | -      |
| 1     | 64      | 3, s1 p1; 4, s2 p1 | 2, s2 |
| 2     | 128     | 3, s1 p1; 4, s2 p1 | 2, s2 |
| 3     | 256     | 3, s1 p1; 4, s2 p1 | 2, s2 |
| 4     | 256     | 3, s1 p1; 3, s1 p1 | -     |
| top   | outputs | 1, summed over places | -  |

Size, stride s, padding p. SiLU, no normalization, biases but in the skips and on top. Weights start
as He's, the top's at N(0, 0.02²). Images may have any size from 8x8 up. Deviation: convolutions of
stride 2 take the place of average pooling.

Source: Du and Mordatch, Implicit generation and modeling with energy-based models, 2019; Grathwohl
et al., Your classifier is secretly an energy based model and you should treat it like one, 2020.
"""

from tfgen.nets.architectures.builders import Count, Width
from tfgen.nets.architectures.residual import Block, ResidualEnergy
from tfgen.nets.architectures.roles import Size

BLOCKS = (Block(64, 2), Block(128, 2), Block(256, 2), Block(256))


def energy(image_shape: Size, *, width: Width = 1.0, outputs: Count = 1) -> ResidualEnergy:
    """Returns the energy.

    Args:
        image_shape: height, width, channels; the weights depend on the channels alone.
        width: factor on the numbers of filters.
        outputs: energies of an image, one a class.

    Returns:
        A net from [b, h, w, c] to [b], or [b, outputs] where there are several.

    Raises:
        UserError: if the images are too small.
    """
    blocks = [block._replace(filters=round(block.filters * width)) for block in BLOCKS]
    return ResidualEnergy(blocks, image_shape, outputs)
