"""A small ConvNet that classifies images of any size; its last maps, averaged, are features.

| layer | filters | size | sub-sampling | padding |
|-------|---------|------|--------------|---------|
| 1, 2  | 32      | 3    | 1, 1         | 1       |
| 3, 4  | 64      | 3    | 2, 1         | 1       |
| 5, 6  | 128     | 3    | 2, 1         | 1       |
| mean  | 128     | the whole map | -   | -       |
| head  | outputs | -    | -            | -       |

Layers 5 and 6 are repeated until the smaller side of the maps is at most 8: never for images of 8,
28 or 32 pixels a side, once for 64. Batch normalization and ReLU follow every convolution, whose
weights start as He's.
"""

from typing import Annotated, Any

from tfgen.errors import Positive, Range, UserError
from tfgen.nets.architectures.classifier import ConvNetClassifier
from tfgen.nets.architectures.roles import Size
from tfgen.nets.convolution.layers import Conv

STAGES = ((32, 1), (64, 2), (128, 2))
"""Filters and sub-sampling of the first layer of each pair."""

LARGEST = 8
"""The most pixels on the smaller side of the last maps."""


def classifier(
    image_shape: Size,
    *,
    width: Annotated[float, Positive] = 1.0,
    outputs: Annotated[int, Range(least=2)] = 10,
) -> ConvNetClassifier:
    """Returns the classifier.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        outputs: number of classes, at least 2.

    Returns:
        A net from [b, h, w, c] to logits [b, outputs].

    Raises:
        UserError: if there are fewer than two classes.
    """
    if outputs < 2:
        raise UserError(f"outputs: expected at least 2 classes and found {outputs}")
    # space-to-depth does not pay for kernels this small
    options: dict[str, Any] = {"initializer_scale": None, "convolution": "direct"}
    convs: list[Conv] = []
    shape: tuple = (None, *image_shape)
    stages = list(STAGES)
    while stages:
        filters, strides = stages.pop(0)
        for stride in (strides, 1):
            convs.append(Conv(round(filters * width), 3, stride, 1, use_bias=False, **options))
            shape = convs[-1].compute_output_shape(shape)
        # larger images take more of the last stage, so that a feature sees much of the image
        if not stages and min(shape[1:3]) > LARGEST:
            stages.append(STAGES[-1])
    return ConvNetClassifier(convs, outputs, image_shape)
