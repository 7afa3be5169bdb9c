"""The texture net of A Theory of Generative ConvNet, experiments 1 and 3.

| layer | filters | size | sub-sampling | padding |
|-------|---------|------|--------------|---------|
| 1     | 100     | 15   | 3            | 2       |
| 2     | 64      | 5    | 1            | 2       |
| 3     | 30      | 3    | 1            | 2       |

The score is the sum of the top maps, so the net takes images of any size. Padding: the authors'
release 1.3.
"""

from tfgen.nets.architectures.builders import Activation, Width
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: Size,
    *,
    width: Width = 1.0,
    activation: Activation = "relu",
    he_start: bool = False,
) -> ScoringFunction:
    """Returns the energy -f.

    Args:
        image_shape: height, width, channels; the weights depend on the channels alone.
        width: factor on the numbers of filters.
        activation: after each layer; relu is the paper's.
        he_start: start the weights at He's scale instead of N(0, 0.01²).

    Returns:
        A net from [b, h, w, c] to [b].
    """
    scale = None if he_start else 0.01
    convs = [
        Conv(round(100 * width), 15, 3, 2, initializer_scale=scale),
        Conv(round(64 * width), 5, 1, 2, initializer_scale=scale),
        Conv(round(30 * width), 3, 1, 2, initializer_scale=scale),
    ]
    # no tops: at every depth, the score is the sum of the maps (equation 6)
    return ScoringFunction(convs, [None] * len(convs), activation, image_shape)
