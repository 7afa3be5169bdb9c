"""Examples of requests, for warm-up records, latencies and the model card."""

import io

import imageio.v3 as iio
import numpy as np
import tensorflow as tf

from tfgen.models import Endpoint
from tfgen.models.inputs import Input


def rows(endpoint: Endpoint, count: int = 1) -> dict[str, np.ndarray]:
    """Returns some rows that an endpoint can answer.

    Args:
        endpoint: by row.
        count: how many.

    Returns:
        By name of the input, [count, ...].
    """
    return {
        known.name: np.stack([known.row_of(number) for number in range(count)])
        for known in endpoint.inputs
    }


def single(endpoint: Endpoint) -> dict[str, np.ndarray]:
    """Returns an example of what a LiteRT file takes, by name of the input.

    Args:
        endpoint: of one image.
    """
    return {known.name: _single(known) for known in endpoint.inputs}


def code(known: Input, value: np.ndarray, module: str = "tf") -> str:
    """Returns a line of Python that makes an input of the example's shape.

    Args:
        known: the input.
        value: the example.
        module: tf for tensors, np for arrays.
    """
    if known.dtype == tf.string:
        height, width, *channels = iio.imread(io.BytesIO(known.example)).shape
        shape = (height, width, *(channels or [1]))
        return f"tf.stack([tf.io.encode_png(tf.zeros({shape}, tf.uint8))])"
    kind = "bool" if known.dtype == tf.bool else f"{module}.{known.dtype.name}"
    if value.ndim > 1 and known.dtype == tf.float32:
        return f"{module}.zeros({value.shape}, {kind})"
    maker = "constant" if module == "tf" else "array"
    return f"{module}.{maker}({value.tolist()}, {kind})"


def _single(known: Input) -> np.ndarray:
    value = np.asarray(known.example, known.dtype.as_numpy_dtype)
    # a side that is free is as long as the example's
    sides = zip(known.shape, value.shape or known.shape, strict=True)
    value = np.broadcast_to(value, [own if side is None else side for side, own in sides])
    return value[np.newaxis] if known.batched else value
