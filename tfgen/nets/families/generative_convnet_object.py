"""The object net of A Theory of Generative ConvNet, experiment 2.

| layer | filters | size            | sub-sampling |
|-------|---------|-----------------|--------------|
| 1     | 100     | 7               | 2            |
| 2     | 64      | 5               | 1            |
| 3     | 20      | 3               | 1            |
| 4     | 1       | the whole image | -            |

While layers are grown, the single top filter is kept on top: each depth has one of its own. Padding
keeps the maps from shrinking (the paper leaves it open).
"""

from tfgen.nets.architectures.builders import Activation, Count, Width
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction, tops_over
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: Size,
    *,
    width: Width = 1.0,
    activation: Activation = "relu",
    he_start: bool = False,
    outputs: Count = 1,
) -> ScoringFunction:
    """Returns the energy -f.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        activation: after each layer; relu is the paper's.
        he_start: start the weights at He's scale instead of N(0, 0.01²).
        outputs: top filters, one a class.

    Returns:
        A net from [b, h, w, c] to [b], or [b, outputs] where there are several.
    """
    scale = None if he_start else 0.01
    convs = [
        Conv(round(100 * width), 7, 2, 3, initializer_scale=scale),
        Conv(round(64 * width), 5, 1, 2, initializer_scale=scale),
        Conv(round(20 * width), 3, 1, 1, initializer_scale=scale),
    ]
    # a top for each depth, since the score of Algorithm 1's growing net is read at every layer
    tops = tops_over(convs, image_shape, outputs, [scale] * len(convs))
    return ScoringFunction(convs, tops, activation, image_shape)
