"""The ways in which a layer runs, and which of them where.

Of convolutions, `direct` is TensorFlow's own. `space_to_depth` turns a strided one into one of stride 1 over blocks of
pixels, whose input gradient is a convolution too. `toom_cook` multiplies less often, see `tfgen.nets.toom_cook`. `auto`
is the fastest as measured in benchmarks/results.md.
"""

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple

import tensorflow as tf

from tfgen.nets.convolution import toom_cook
from tfgen.nets.convolution.adjoint import ceil_to

NAMES = ("auto", "direct", "space_to_depth", "toom_cook")

EXPORTED = "space_to_depth"
"""Of the operations that every runtime has, and fast for one example too."""

_DEFAULT: ContextVar[str] = ContextVar("convolution", default="auto")
_PORTABLE: ContextVar[bool] = ContextVar("portable", default=False)

TRANSFORMING = 30
"""What a number costs that is transformed, in a matrix product's multiplications, beside those with its side."""
ROWS = 8
"""As many tiles and examples make a matrix product out of the multiplications at a point."""
PADDED = 1.4
"""Up to so many times the kernel may be padded to whole blocks,"""
PADDED_MANY = 1.5
"""and up to so many times if a block has many channels,"""
MANY_CHANNELS = 512
"""which are as many as this."""
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


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """What is traced within is of operations that LiteRT has, gradients too, if slower ones."""
    token = _PORTABLE.set(True)
    try:
        yield
    finally:
        _PORTABLE.reset(token)


def leaky_relu(r: tf.Tensor, leak: float) -> tf.Tensor:
    """r where it is positive, else leak r."""
    # the fused operation is twice as fast; LiteRT has none for its gradient
    return tf.maximum(r, leak * r) if _PORTABLE.get() else tf.nn.leaky_relu(r, leak)


class Convolution(NamedTuple):
    """What is convolved with what."""

    shape: tuple[int | None, ...]
    """Of the images: [b, h, w, c]; a side that is not known leaves no choice of `toom_cook`."""
    kernel_size: tuple[int, int]
    strides: int
    padding: int
    filters: int

    @property
    def folds(self) -> bool:
        """Whether blocks of strides x strides pixels are fewer than pixels."""
        return 1 < self.strides < max(self.kernel_size)

    @property
    def plan(self) -> toom_cook.Plan:
        """Of `toom_cook`."""
        return toom_cook.plan(tuple(self.shape[1:3]), self.kernel_size, self.strides, self.padding)


def chosen(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    """How a convolution runs.

    Args:
        preferred: one of `NAMES`.
        convolution: its sizes.
        dtype: what is computed in.

    Returns:
        `direct`, `space_to_depth`, `toom_cook`, or `product` where the kernel covers the image; `portable` is direct,
        with a gradient that LiteRT has.
    """
    way = _fastest(preferred, convolution, dtype)
    return "portable" if way == "direct" and _PORTABLE.get() else way


def _fastest(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    if not convolution.padding and tuple(convolution.shape[1:3]) == convolution.kernel_size:
        return "product"
    if preferred == "toom_cook" and _can_multiply_less(convolution):
        return "toom_cook"
    if preferred != "auto":
        return "space_to_depth" if convolution.folds and preferred != "direct" else "direct"
    if (
        dtype == tf.float32
        and _can_multiply_less(convolution)
        and _multiplying_less_pays(convolution)
    ):
        return "toom_cook"
    return "space_to_depth" if convolution.folds and _folding_pays(convolution) else "direct"


def chosen_for_adjoint(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    """How the adjoint of a convolution runs.

    Args:
        preferred: one of `NAMES`.
        convolution: its sizes.
        dtype: what is computed in.

    Returns:
        `toom_cook` or `product` where the convolution runs so; otherwise, `direct` in TensorFlow, whose own is as fast
        as any, and `space_to_depth` in LiteRT, where that is three times as fast.
    """
    way = chosen(preferred, convolution, dtype)
    if way in ("toom_cook", "product"):
        return way
    return "space_to_depth" if _PORTABLE.get() else "direct"


def _can_multiply_less(convolution: Convolution) -> bool:
    strides, most = convolution.strides, convolution.strides * len(toom_cook.POINTS)
    return (
        all(strides < side <= most for side in convolution.kernel_size)
        and None not in convolution.shape[1:3]
    )


def _multiplying_less_pays(convolution: Convolution) -> bool:
    batch, *sides, channels = convolution.shape
    plan = convolution.plan
    rows = plan.columns.output.shape[2] * (batch or ROWS)
    if rows < ROWS or tf.config.list_logical_devices("GPU"):
        return False
    transforms = (TRANSFORMING + max(sides)) * (1 / channels + 1 / convolution.filters)
    return plan.saving > 1 + transforms


def _folding_pays(convolution: Convolution) -> bool:
    s = convolution.strides
    padded = math.prod(ceil_to(side, s) / side for side in convolution.kernel_size)
    channels = convolution.shape[3] * s**2
    return channels >= BLOCK_CHANNELS and padded <= (
        PADDED_MANY if channels >= MANY_CHANNELS else PADDED
    )
