"""The ways in which a convolution runs, and which of them where.

`direct` is TensorFlow's own. `space_to_depth` turns a strided one into one of stride 1 over blocks of pixels, whose
input gradient is a convolution too. `toom_cook` multiplies less often, see `tfgen.nets.toom_cook`. `auto` is the
fastest as measured in benchmarks/results.md.
"""

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar

import tensorflow as tf

from tfgen.nets import toom_cook
from tfgen.nets.convolution import ceil_to

NAMES = ("auto", "direct", "space_to_depth", "toom_cook")

EXPORTED = "space_to_depth"
"""Of the operations that every runtime has, and fast for one example too."""

_DEFAULT: ContextVar[str] = ContextVar("convolution", default="auto")

TRANSFORMING = 60
"""What a number costs that is transformed, in a matrix product's multiplications, beside those with its side."""
ROWS = 16
"""As many tiles and examples make a matrix product out of the multiplications at a point."""
PADDED = 1.2
"""Up to so many times the kernel may be padded to whole blocks."""
BLOCK_CHANNELS = 16
"""As many channels of a block make its convolution faster than a strided one."""


def default() -> str:
    """What layers are made with that name no other."""
    return _DEFAULT.get()


@contextlib.contextmanager
def defaulting_to(name: str) -> Iterator[None]:
    """Layers that are made within run so.

    Args:
        name: one of `NAMES`.
    """
    token = _DEFAULT.set(name)
    try:
        yield
    finally:
        _DEFAULT.reset(token)


def chosen(conv, shape: tf.TensorShape, dtype: tf.DType) -> str:
    """How a convolution runs on images of a shape.

    Args:
        conv: a layer with a kernel, strides, padding and `convolution`, the way it prefers.
        shape: [b, h, w, c]; sides that are not known leave no choice of `toom_cook`.
        dtype: what is computed in.

    Returns:
        `direct`, `space_to_depth`, `toom_cook`, or `product` where the kernel covers the image.
    """
    if not conv.padding and tuple(shape[1:3]) == conv.kernel_size:
        return "product"
    if conv.convolution == "toom_cook" and _can_multiply_less(conv, shape):
        return "toom_cook"
    folds = 1 < conv.strides < max(conv.kernel_size)
    if conv.convolution != "auto":
        return "space_to_depth" if folds and conv.convolution != "direct" else "direct"
    if dtype == tf.float32 and _can_multiply_less(conv, shape) and _multiplying_less_pays(conv, shape):
        return "toom_cook"
    return "space_to_depth" if folds and _folding_pays(conv, shape[-1]) else "direct"


def _can_multiply_less(conv, shape: tf.TensorShape) -> bool:
    within = all(conv.strides < side <= conv.strides * len(toom_cook.POINTS) for side in conv.kernel_size)
    return within and None not in shape[1:3]


def _multiplying_less_pays(conv, shape: tf.TensorShape) -> bool:
    batch, *sides, channels = shape
    plan = toom_cook.plan(tuple(sides), conv.kernel_size, conv.strides, conv.padding)
    rows = plan.columns.output.shape[2] * (batch or ROWS)
    if rows < ROWS or tf.config.list_logical_devices("GPU"):
        return False
    transforms = (TRANSFORMING + max(sides)) * (1 / channels + 1 / conv.filters)
    return plan.saving > 1 + transforms


def _folding_pays(conv, channels: int) -> bool:
    padded = math.prod(ceil_to(side, conv.strides) / side for side in conv.kernel_size)
    return padded <= PADDED and channels * conv.strides**2 >= BLOCK_CHANNELS
