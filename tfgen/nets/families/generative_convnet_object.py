"""The object net of A Theory of Generative ConvNet, experiment 2.

| layer | filters | size            | sub-sampling |
|-------|---------|-----------------|--------------|
| 1     | 100     | 7               | 2            |
| 2     | 64      | 5               | 1            |
| 3     | 20      | 3               | 1            |
| 4     | 1       | the whole image | -            |

While layers are grown, the single top filter is kept on top: each depth has one of its own. Padding keeps
the maps from shrinking (the paper leaves it open).
"""

from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: tuple[int, int, int],
    *,
    width: float = 1.0,
    activation: str = "relu",
    he_start: bool = False,
    outputs: int = 1,
) -> ScoringFunction:
    """The energy -f.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        activation: relu (the paper's) or swish.
        he_start: start the weights at He's scale instead of N(0, 0.01).
        outputs: top filters, one a class.

    Returns:
        A net from [b, h, w, c] to [b], or [b, outputs] when they are several.
    """
    scale = None if he_start else 0.01
    convs = [
        Conv(round(100 * width), 7, strides=2, padding=3, initializer_scale=scale),
        Conv(round(64 * width), 5, padding=2, initializer_scale=scale),
        Conv(round(20 * width), 3, padding=1, initializer_scale=scale),
    ]
    shape, tops = (None, *image_shape), []
    for conv in convs:
        shape = conv.compute_output_shape(shape)
        tops.append(Conv(outputs, shape[1:3], use_bias=False, initializer_scale=scale))
    return ScoringFunction(convs, tops, activation, image_shape)
