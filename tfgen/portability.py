"""Operations in the form that LiteRT's built-in operators and their gradients need.

LiteRT has no operator for the gradients of some of TensorFlow's fused operations. Within
`portable`, the functions here take other forms: the same values, from operators that LiteRT has.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import tensorflow as tf

_PORTABLE: ContextVar[bool] = ContextVar("portable", default=False)


@contextlib.contextmanager
def portable() -> Iterator[None]:
    """Makes what is traced within convertible to LiteRT, gradients included, if slower."""
    token = _PORTABLE.set(True)
    try:
        yield
    finally:
        _PORTABLE.reset(token)


def is_portable() -> bool:
    """Says whether this is traced within `portable`."""
    return _PORTABLE.get()


def relu(x: tf.Tensor) -> tf.Tensor:
    """Computes max(x, 0), whose slope at 0 is 0."""
    # a tie counts for the first argument, so the constant comes first
    return tf.maximum(tf.zeros((), x.dtype), x) if is_portable() else tf.nn.relu(x)


def leaky_relu(x: tf.Tensor, leak: float) -> tf.Tensor:
    """Computes x where it is positive, else leak x, whose slope at 0 is the leak.

    Args:
        x: of any shape.
        leak: in (0, 1).
    """
    return tf.maximum(leak * x, x) if is_portable() else tf.nn.leaky_relu(x, leak)


def clip(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Computes min(max(x, low), high).

    Args:
        x: of any shape.
        low: the least value.
        high: the largest value, above `low`.
    """
    if not is_portable():
        return tf.clip_by_value(x, low, high)
    # the converter turns bounds of -1 and 1 into an operator that ONNX lacks; halving is exact
    return 2 * tf.minimum(tf.maximum(x / 2, low / 2), high / 2)


def halved(x: tf.Tensor) -> tf.Tensor:
    """Computes the means of blocks of 2x2 places of maps, [b, h, w, c] with even sides.

    Returns:
        [b, h / 2, w / 2, c].
    """
    if not is_portable():
        return tf.nn.avg_pool2d(x, 2, 2, "VALID")
    # LiteRT has no gradient of pooling; channels of a block's places stand one after the other
    return tf.add_n(tf.split(tf.nn.space_to_depth(x, 2), 4, axis=-1)) / 4


def doubled(x: tf.Tensor) -> tf.Tensor:
    """Repeats each place of maps [b, h, w, c] as a block of 2x2 places; the adjoint of 4 `halved`.

    Returns:
        [b, 2 h, 2 w, c].
    """
    # LiteRT has no gradient of resizing
    return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)
