"""A small object net for 8x8 images, in the manner of A Theory of Generative ConvNet, experiment 2.

| layer | filters | size            | sub-sampling | padding |
|-------|---------|-----------------|--------------|---------|
| 1     | 64      | 4               | 2            | 1       |
| 2     | 128     | the whole map   | -            | -       |
| top   | outputs | 1               | -            | -       |

Larger images have larger second-layer filters. Weights start at He's scale.
"""

from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: tuple[int, int, int],
    *,
    width: float = 1.0,
    activation: str = "swish",
    outputs: int = 1,
) -> ScoringFunction:
    """The energy -f.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        activation: relu or swish.
        outputs: top filters, one a class.

    Returns:
        A net from [b, h, w, c] to [b], or [b, outputs] when they are several.
    """
    below, above = round(64 * width), round(128 * width)
    convs = [Conv(below, 4, strides=2, padding=1, initializer_scale=None)]
    shape = convs[0].compute_output_shape((None, *image_shape))
    convs.append(Conv(above, shape[1:3], initializer_scale=None))
    tops = [
        Conv(outputs, shape[1:3], use_bias=False),
        Conv(outputs, 1, use_bias=False, initializer_scale=None),
    ]
    return ScoringFunction(convs, tops, activation, image_shape)
