"""The energy of a DCGAN discriminator for 32x32 images, without batch normalisation.

| layer | filters | size | sub-sampling | padding |
|-------|---------|------|--------------|---------|
| 1     | 64      | 5    | 2            | 2       |
| 2     | 128     | 5    | 2            | 2       |
| 3     | 256     | 5    | 2            | 2       |
| top   | outputs | the whole map | -   | -       |

Source: Radford, Metz and Chintala, Unsupervised representation learning with DCGANs, 2016; here with the
activations of `tfgen.nets.scoring`.
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
    convs = [Conv(round(filters * width), 5, strides=2, padding=2) for filters in (64, 128, 256)]
    shape, tops = (None, *image_shape), []
    for conv in convs:
        shape = conv.compute_output_shape(shape)
        tops.append(Conv(outputs, shape[1:3], use_bias=False))
    return ScoringFunction(convs, tops, activation, image_shape)
