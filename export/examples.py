"""Examples of what endpoints take: what warms a server up, is timed, and shown in the model card."""

import io
from collections.abc import Iterable

import imageio.v3 as iio
import numpy as np
import tensorflow as tf

from tfgen.data import preprocess
from tfgen.types import Endpoint

SCALARS = {"num_steps": 1, "count": 2, "label": 0, "position": 0.5, "spherical": False, "gamma": 0.3, "stage": 0}
"""Of each row."""


def rows(endpoint: Endpoint, image_shape: Iterable[int], count: int = 1) -> dict[str, np.ndarray]:
    """Some rows that an endpoint can answer: grey ramps whose right half is hidden.

    Args:
        endpoint: as a server publishes it.
        image_shape: height, width, channels.
        count: how many.

    Returns:
        By name of the input, [count, ...].
    """
    return {
        spec.name: np.stack([_row(spec, tuple(image_shape), i) for i in range(count)]) for spec in endpoint.signature
    }


def _row(spec: tf.TensorSpec, image_shape: tuple[int, ...], number: int) -> np.ndarray:
    height, width, channels = image_shape
    dtype = object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype
    ramp = np.broadcast_to(np.linspace(-1, 1, width)[None, :, None], (height, width, channels))
    mask = np.broadcast_to((np.arange(width) < (width + 1) // 2)[None, :, None], (height, width, 1))
    known = {"image": ramp, "first": ramp, "second": -ramp, "mask": mask, "size": [height, width]}
    known |= {"seed": [0, number], "index": number}
    known |= {"image_bytes": _png(ramp), "mask_bytes": _png(2.0 * mask - 1), "latent": np.zeros(spec.shape[1:])}
    return np.asarray((known | SCALARS)[spec.name], dtype)


def _png(image: np.ndarray) -> bytes:
    levels = preprocess.to_uint8(image)
    file = io.BytesIO()
    iio.imwrite(file, levels[..., 0] if levels.shape[-1] == 1 else levels, extension=".png")
    return file.getvalue()
