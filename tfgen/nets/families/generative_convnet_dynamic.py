"""The generative ConvNet's nets for dynamic textures: spatio-temporal filters.

| layer | whole frames              | stationary in space       |
|-------|---------------------------|---------------------------|
| 1     | 120, 7, s2 p3; 7, s2 p3   | 120, 15, s7 p7; 15, s7 p7 |
| 2     | 30, the map; 5, s2 p2     | 40, 7, s3 p3; 7, s3 p3    |
| 3     | 5, 1; 2, s1 p1            | 20, 3, s2 p1; 2, s1 p1    |

Filters, size in space, stride s, padding p; then the same in time, in frames. ReLU after each
layer; the score is the sum of the last maps. So the nets take clips of any length, and the second
one clips of any size: the films that it is for, such as water, look alike everywhere.

Source: Xie, Zhu and Wu, Synthesizing dynamic patterns by spatial-temporal generative ConvNet, CVPR
2017, and the authors' public code, nets FC_S and ST.
"""

from tfgen.nets.architectures.builders import Activation, Width
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.architectures.tables import WHOLE, Row
from tfgen.nets.convolution.frames import Taps
from tfgen.nets.convolution.layers import Conv

WHOLE_FRAMES = (
    Row(120, 7, 2, 3, time=Taps(7, 2, 3)),
    Row(30, WHOLE, time=Taps(5, 2, 2)),
    Row(5, 1, time=Taps(2, 1, 1)),
)
STATIONARY = (
    Row(120, 15, 7, 7, time=Taps(15, 7, 7)),
    Row(40, 7, 3, 3, time=Taps(7, 3, 3)),
    Row(20, 3, 2, 1, time=Taps(2, 1, 1)),
)


def energy(
    image_shape: Size,
    *,
    width: Width = 1.0,
    activation: Activation = "relu",
    stationary: bool = False,
    he_start: bool = False,
) -> ScoringFunction:
    """Returns the energy -f.

    Args:
        image_shape: frames, height, width, channels.
        width: factor on the first layer's filters, which take nearly all of the time.
        activation: after each layer; relu is the paper's.
        stationary: whether the film looks alike everywhere; else filters see whole frames.
        he_start: start the weights at He's scale instead of N(0, 0.001²), the authors' code's.

    Returns:
        A net from [b, t, h, w, c] to [b].

    Raises:
        UserError: if the data are no clips, or too small.
    """
    scale = None if he_start else 0.001
    convs: list[Conv] = []
    shape: tuple = (None, *image_shape)
    first, *others = STATIONARY if stationary else WHOLE_FRAMES
    for row in (first.scaled(width), *others):
        convs.append(Conv(*row.over(shape[1:-1]), initializer_scale=scale))
        shape = convs[-1].compute_output_shape(shape)
    return ScoringFunction(convs, [None] * len(convs), activation, image_shape)
