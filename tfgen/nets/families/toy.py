"""A small net for densities in a few dimensions, given as images of one or a few pixels.

| layer | filters | size            |
|-------|---------|-----------------|
| 1     | 64      | the whole image |
| 2     | 64      | 1               |
| top   | outputs | 1               |
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
    units = round(64 * width)
    convs = [
        Conv(units, image_shape[:2], initializer_scale=0.5),
        Conv(units, 1, initializer_scale=units**-0.5),
    ]
    tops = [Conv(outputs, 1, use_bias=False) for _ in convs]
    return ScoringFunction(convs, tops, activation, image_shape)
