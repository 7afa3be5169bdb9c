"""The prototype model of A Theory of Generative ConvNet, Definition 4: K filters the patch's size.

| layer | filters | size            |
|-------|---------|-----------------|
| 1     | K       | the whole patch |
"""

from typing import Annotated

from tfgen.errors import NotNegative
from tfgen.nets.architectures.builders import Activation, Count, Width
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: Size,
    *,
    filters: Count = 20,
    width: Width = 1.0,
    activation: Activation = "relu",
    initializer_scale: Annotated[float, NotNegative] = 0.1,
) -> ScoringFunction:
    """Returns the energy -Σ_k h(<I, w_k> + b_k).

    Args:
        image_shape: height, width, channels of the patch.
        filters: K.
        width: factor on K.
        activation: h; relu is the paper's.
        initializer_scale: standard deviation of the filters' normal initialization.

    Returns:
        A net from [b, h, w, c] to [b].
    """
    count = round(filters * width)
    # filters of the patch's size leave one place, so the sum of the maps is one over the filters
    convs = [Conv(count, image_shape[:2], initializer_scale=initializer_scale)]
    return ScoringFunction(convs, [None], activation, image_shape)
