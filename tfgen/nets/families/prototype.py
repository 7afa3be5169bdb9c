"""The prototype model of A Theory of Generative ConvNet, Definition 4: K filters, each as large as the patch.

| layer | filters | size            |
|-------|---------|-----------------|
| 1     | K       | the whole patch |
"""

from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution.layers import Conv


def energy(
    image_shape: tuple[int, int, int],
    *,
    filters: int = 20,
    width: float = 1.0,
    activation: str = "relu",
    initializer_scale: float = 0.1,
) -> ScoringFunction:
    """The energy -Σ_k h(<I, w_k> + b_k).

    Args:
        image_shape: height, width, channels of the patch.
        filters: K.
        width: factor on K.
        activation: relu (the paper's) or swish.
        initializer_scale: standard deviation of the filters' start.

    Returns:
        A net from [b, h, w, c] to [b].
    """
    convs = [Conv(round(filters * width), image_shape[:2], initializer_scale=initializer_scale)]
    return ScoringFunction(convs, [None], activation, image_shape)
