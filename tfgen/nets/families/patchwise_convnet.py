"""The net of Patchwise generative ConvNet, at half its width: energies of patches of 11x11.

| layer | filters | size | padding |
|-------|---------|------|---------|
| 1     | 64      | 3    | 1       |
| 2     | 32      | 3    | 1       |
| 3     | 32      | 3    | 1       |
| 4     | 32      | 3    | 1       |
| 5     | 8       | 3    | 1       |

The score is the sum of the top maps, so the net takes images of any size. All layers have biases;
weights start at He's scale. Deviations: leaky ReLU in place of ELU, 8 top filters in place of one.

Source: Zheng, Xie and Li, Patchwise generative ConvNet, CVPR 2021.
"""

from tfgen.nets.architectures.builders import Activation, Width
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv

FILTERS = (64, 32, 32, 32, 8)


def energy(
    image_shape: Size, *, width: Width = 1.0, activation: Activation = "leaky_relu"
) -> ScoringFunction:
    """Returns the energy -f.

    Args:
        image_shape: height, width, channels; the weights depend on the channels alone.
        width: factor on the numbers of filters.
        activation: after each layer.

    Returns:
        A net from [b, h, w, c] to [b].
    """
    convs = [Conv(round(width * count), 3, 1, 1, initializer_scale=None) for count in FILTERS]
    return ScoringFunction(convs, [None] * len(convs), activation, image_shape)
