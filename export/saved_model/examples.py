"""Examples of what endpoints take: what warms a server up, is timed, and shown in the model card."""

import io
from collections.abc import Iterable

import imageio.v3 as iio
import numpy as np
import tensorflow as tf

from tfgen.data import preprocess
from tfgen.types import Endpoint

SCALARS = {
    "num_steps": 1,
    "count": 2,
    "label": 0,
    "position": 0.5,
    "spherical": False,
    "gamma": 0.3,
    "stage": 0,
    "index": 0,
}
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
        spec.name: np.stack([_row(spec, tuple(image_shape), i) for i in range(count)])
        for spec in endpoint.signature
    }


def single(endpoint: Endpoint) -> dict[str, np.ndarray]:
    """What a LiteRT file takes: noise for its image, eight draws where their number is free.

    Args:
        endpoint: of one image.

    Returns:
        By name of the input.
    """
    rng = np.random.default_rng(0)
    return {spec.name: _single(spec, rng) for spec in endpoint.signature}


def code(
    spec: tf.TensorSpec, value: np.ndarray, image_shape: Iterable[int], module: str = "tf"
) -> str:
    """An input like an example, as a line of Python.

    Args:
        spec: the input.
        value: the example.
        image_shape: height, width, channels.
        module: tf for tensors, np for arrays.
    """
    if spec.dtype == tf.string:
        height, width, channels = image_shape
        shape = (height, width, 1 if spec.name == "mask_bytes" else channels)
        return f"tf.stack([tf.io.encode_png(tf.zeros({shape}, tf.uint8))])"
    kind = "bool" if spec.dtype == tf.bool else f"{module}.{spec.dtype.name}"
    if value.ndim > 1 and spec.dtype == tf.float32:
        return f"{module}.zeros({value.shape}, {kind})"
    return f"{module}.{'constant' if module == 'tf' else 'array'}({value.tolist()}, {kind})"


def _single(spec: tf.TensorSpec, rng: np.random.Generator) -> np.ndarray:
    noise = np.asarray(rng.standard_normal([8 if side is None else side for side in spec.shape]))
    if spec.name == "mask":
        noise = noise > 0
    elif spec.name not in ("noise", "latent"):
        noise = np.tanh(noise)
    if spec.name in ("square", "count", "position"):
        noise = np.abs(noise)
    return (
        noise.astype(spec.dtype.as_numpy_dtype)
        if spec.dtype.is_floating
        else np.zeros_like(noise, spec.dtype.as_numpy_dtype)
    )


def _row(spec: tf.TensorSpec, image_shape: tuple[int, ...], number: int) -> np.ndarray:
    sized = spec.shape.rank == 4 and None not in spec.shape[1:3]
    sides = spec.shape[1:3] if sized else image_shape[:2]
    ramp = np.broadcast_to(np.linspace(-1, 1, sides[1])[:, None], (*sides, image_shape[-1]))
    mask = np.broadcast_to((np.arange(sides[1]) < (sides[1] + 1) // 2)[:, None], (*sides, 1))
    match spec.name:
        case "image" | "first":
            value = ramp
        case "second":
            value = -ramp
        case "mask":
            value = mask
        case "image_bytes":
            value = _png(ramp)
        case "mask_bytes":
            value = _png(2.0 * mask - 1)
        case "latent":
            value = np.zeros(spec.shape[1:])
        case "size":
            value = image_shape[:2]
        case "seed":
            value = [0, number]
        case name:
            value = SCALARS[name]
    return np.asarray(value, object if spec.dtype == tf.string else spec.dtype.as_numpy_dtype)


def _png(image: np.ndarray) -> bytes:
    levels = preprocess.to_uint8(image)
    file = io.BytesIO()
    iio.imwrite(file, levels[..., 0] if levels.shape[-1] == 1 else levels, extension=".png")
    return file.getvalue()
