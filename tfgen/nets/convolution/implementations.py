"""The ways in which a convolution runs, and the choice between them.

- `direct`: TensorFlow's own.
- `space_to_depth`: a strided convolution becomes one of stride 1 over blocks of pixels. Its input
  gradient is then a convolution too, which is faster than TensorFlow's own gradient.
- `toom_cook`: fewer multiplications, see `tfgen.nets.convolution.toom_cook`.
- `auto`: the fastest by a cost model. Its constants were fitted on a CPU, see docs/speed.md.

Two more ways cannot be chosen by name: `product`, where the kernel covers the image, and
`portable`, which is `direct` with a gradient that LiteRT has.
"""

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple

import tensorflow as tf

from tfgen.nets.convolution import transforms
from tfgen.nets.convolution.adjoint import ceil_to
from tfgen.portability import is_portable, portable

__all__ = [
    "EXPORTED",
    "NAMES",
    "Convolution",
    "chosen",
    "chosen_for_adjoint",
    "default",
    "defaulting_to",
    "portable",
]

NAMES = ("auto", "direct", "space_to_depth", "toom_cook")

EXPORTED = "space_to_depth"
"""The way of exported models: every runtime has its operators, and it is fast for one example."""

_DEFAULT: ContextVar[str] = ContextVar("convolution", default="auto")

TRANSFORM_COST = 30
"""Cost of a transformed element in multiply-adds of a matrix product, beside its side's length."""

LEAST_ROWS = 8
"""Rows (tiles times examples) below which the products at a point are too thin to pay."""

PADDING_LIMIT = 1.4
"""Largest growth of a kernel that is padded to whole blocks,"""

PADDING_LIMIT_OF_MANY = 1.5
"""and of one whose blocks have `MANY_CHANNELS` channels or more."""

MANY_CHANNELS = 512

LEAST_BLOCK_CHANNELS = 16
"""Channels of a block below which a convolution over blocks is slower than a strided one."""


def default() -> str:
    """Returns the way of layers that name none."""
    return _DEFAULT.get()


@contextlib.contextmanager
def defaulting_to(name: str) -> Iterator[None]:
    """Sets the way of the layers that are made within and name none.

    Args:
        name: one of `NAMES`.
    """
    token = _DEFAULT.set(name)
    try:
        yield
    finally:
        _DEFAULT.reset(token)


class Convolution(NamedTuple):
    """The sizes of a convolution."""

    shape: tuple[int | None, ...]
    """Of the images, [b, h, w, c]; `toom_cook` needs to know h and w."""
    kernel_size: tuple[int, int]
    strides: int
    padding: int
    filters: int

    @property
    def folds(self) -> bool:
        """Whether blocks of strides x strides pixels overlap less than the pixels do."""
        return 1 < self.strides < max(self.kernel_size)

    @property
    def plan(self) -> transforms.Plan:
        """The plan of `toom_cook`."""
        _, height, width, _ = self.shape
        if height is None or width is None:
            raise ValueError(f"Expected images of known sides. Received: shape={self.shape}")
        return transforms.plan((height, width), self.kernel_size, self.strides, self.padding)


def chosen(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    """Returns the way in which a convolution runs.

    Args:
        preferred: one of `NAMES`.
        convolution: its sizes.
        dtype: the type that it is computed in.

    Returns:
        direct, space_to_depth, toom_cook, product or portable.
    """
    way = _fastest(preferred, convolution, dtype)
    # the other ways consist of operations whose gradients LiteRT has
    return "portable" if way == "direct" and is_portable() else way


def chosen_for_adjoint(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    """Returns the way in which the adjoint of a convolution runs.

    Args:
        preferred: one of `NAMES`.
        convolution: its sizes.
        dtype: the type that it is computed in.

    Returns:
        toom_cook or product where the convolution runs so. Otherwise direct, which is as fast as
        any in TensorFlow, and space_to_depth in LiteRT, where it is three times as fast.
    """
    way = chosen(preferred, convolution, dtype)
    if way in ("toom_cook", "product"):
        return way
    return "space_to_depth" if is_portable() else "direct"


def _fastest(preferred: str, convolution: Convolution, dtype: tf.DType) -> str:
    # one place only: nothing to choose, whatever is preferred
    if not convolution.padding and tuple(convolution.shape[1:3]) == convolution.kernel_size:
        return "product"
    can_multiply_less = _can_multiply_less(convolution)
    if preferred == "toom_cook" and can_multiply_less:
        return "toom_cook"
    if preferred == "direct":
        return "direct"
    if preferred != "auto":
        return "space_to_depth" if convolution.folds else "direct"
    # the transforms amplify rounding errors by more than bfloat16 can bear
    if dtype == tf.float32 and can_multiply_less and _multiplying_less_pays(convolution):
        return "toom_cook"
    return "space_to_depth" if convolution.folds and _folding_pays(convolution) else "direct"


def _can_multiply_less(convolution: Convolution) -> bool:
    """Says whether there are points enough for the kernel, and the images' sides are known."""
    most = convolution.strides * len(transforms.POINTS)
    sides_fit = all(convolution.strides < side <= most for side in convolution.kernel_size)
    return sides_fit and None not in convolution.shape[1:3]


def _multiplying_less_pays(convolution: Convolution) -> bool:
    """Cost model of `toom_cook`: multiplications saved against elements transformed."""
    batch, height, width, channels = convolution.shape
    plan = convolution.plan
    rows = plan.columns.output.shape[2] * (batch or LEAST_ROWS)
    if rows < LEAST_ROWS or tf.config.list_logical_devices("GPU"):
        return False
    # A side's transform is a product with a matrix over the whole side. An element of the input
    # serves all filters, and one of the output all channels.
    per_element = TRANSFORM_COST + max(height or 0, width or 0)
    cost = per_element * (1 / (channels or 1) + 1 / convolution.filters)
    return plan.saving > 1 + cost  # both sides in units of the products that are left


def _folding_pays(convolution: Convolution) -> bool:
    """Cost model of `space_to_depth`: the zeros that pad the kernel to whole blocks."""
    s = convolution.strides
    growth = math.prod(ceil_to(side, s) / side for side in convolution.kernel_size)
    block_channels = (convolution.shape[3] or 0) * s**2
    limit = PADDING_LIMIT_OF_MANY if block_channels >= MANY_CHANNELS else PADDING_LIMIT
    return block_channels >= LEAST_BLOCK_CHANNELS and growth <= limit
