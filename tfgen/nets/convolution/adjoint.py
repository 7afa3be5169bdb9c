"""Convolutions of stride 1, fast in both directions, and how others and adjoints become such."""

import math
from typing import Any

import tensorflow as tf

from tfgen.portability import is_portable


def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolves with stride 1 and without padding; the input gradient is a convolution too.

    TensorFlow's own op for the input gradient takes two to four times as long on a CPU.

    Args:
        x: [b, h, w, in].
        kernel: [height, width, in, filters].

    Returns:
        [b, h - height + 1, w - width + 1, filters].
    """

    @tf.custom_gradient
    def convolution(x, kernel):
        def gradient(dy):
            filters = tf.raw_ops.Conv2DBackpropFilter(
                input=x,
                filter_sizes=tf.shape(kernel),
                out_backprop=dy,
                strides=[1, 1, 1, 1],
                padding="VALID",
            )
            # tf.nn.conv2d, since an exported model cannot hold a custom gradient within itself
            return tf.nn.conv2d(_padded_fully(dy, kernel), _turned(kernel), 1, "VALID"), filters

        return tf.nn.conv2d(x, kernel, 1, "VALID"), gradient

    return convolution(x, kernel)


def convolve_portably(x: tf.Tensor, kernel: tf.Tensor, strides: int, padding: int) -> tf.Tensor:
    """Convolves; the input gradient consists of operations that LiteRT has.

    The kernel has no gradient.

    Args:
        x: [b, h, w, in], of known sides.
        kernel: [height, width, in, filters].
        strides: the sub-sampling factor.
        padding: zeros on each side of the image.

    Returns:
        [b, h', w', filters].
    """
    around = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]

    @tf.custom_gradient
    def convolution(x):
        def gradient(dy):
            return adjoint(dy, kernel, strides, padding, tuple(x.shape[1:3]))

        return tf.nn.conv2d(x, kernel, strides, around), gradient

    return convolution(x)


def adjoint(
    y: tf.Tensor, kernel: tf.Tensor, strides: int, padding: int, size: tuple[Any, Any]
) -> tf.Tensor:
    """Applies the adjoint of a convolution.

    It is a convolution of stride 1, whose channels become blocks of pixels.

    Args:
        y: [b, h', w', filters].
        kernel: [height, width, channels, filters].
        strides: the convolution's.
        padding: the convolution's, zeros on each side of the image.
        size: h, w of the image; integers, or scalar tensors where they are not known yet.

    Returns:
        [b, h, w, channels].
    """
    # a kernel over the whole image: one matrix product
    one_place = not padding and tuple(y.shape[1:3]) == (1, 1)
    if one_place and tuple(size) == tuple(kernel.shape[:2]):
        x = tf.matmul(flat(y), tf.reshape(kernel, [-1, kernel.shape[3]]), transpose_b=True)
        return tf.reshape(x, [-1, *kernel.shape[:3]])
    kernel = _turned(blocks_of_kernel(kernel, strides))
    # For each axis, in blocks of pixels: `taps` is the kernel's side, and `places` the maps'. The
    # whole adjoint makes places + taps - 1 blocks; the image begins `padding` pixels into them.
    before, around = [], []
    for axis, (side, taps) in enumerate(zip(size, kernel.shape[:2], strict=True), start=1):
        places = y.shape[axis] if y.shape[axis] is not None else tf.shape(y)[axis]
        # whole blocks that the padding or the end of the image would cut off are not computed
        skipped = min(padding // strides, taps - 1)
        surplus = strides * (places + taps - 1) - padding - side  # pixels beyond the image
        around.append([taps - 1 - skipped, tf.maximum(taps - 1 - surplus // strides, 0)])
        before.append(padding - strides * skipped)
    x = tf.nn.conv2d(tf.pad(y, [[0, 0], *around, [0, 0]]), kernel, 1, "VALID")
    if strides > 1:
        x = tf.nn.depth_to_space(x, strides)
    # the image begins within a block where the padding is no multiple of the stride
    return tf.slice(x, [0, *before, 0], [-1, *size, -1])


def blocks_of_kernel(kernel: tf.Tensor, s: int) -> tf.Tensor:
    """Returns the kernel that acts with stride 1 on blocks of s x s pixels as channels.

    It is zero-padded to whole blocks.

    Args:
        kernel: [height, width, channels, filters] of a convolution with stride s.
        s: the stride.

    Returns:
        [rows, columns, s s channels, filters].
    """
    height, width, channels, filters = kernel.shape
    rows, columns = ceil_to(height, s) // s, ceil_to(width, s) // s
    below, beside = rows * s - height, columns * s - width
    kernel = tf.pad(kernel, [[0, below], [0, beside], [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, [rows, s, columns, s, channels, filters])
    # within a block: rows, then columns, then channels, as tf.nn.space_to_depth orders them
    kernel = tf.transpose(kernel, [0, 2, 1, 3, 4, 5])
    return tf.reshape(kernel, [rows, columns, s * s * channels, filters])


def flat(x: tf.Tensor) -> tf.Tensor:
    """Returns images [b, h, w, c] as vectors [b, h w c]."""
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])


def ceil_to(number: int, multiple: int) -> int:
    """Returns the smallest multiple that is not below the number."""
    return -(-number // multiple) * multiple  # -(-a // b) rounds up


def _padded_fully(y: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Pads maps so that the kernel meets each pixel at all of its places."""
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    border = [[0, 0], [rows, rows], [columns, columns], [0, 0]]
    if is_portable():
        return tf.pad(y, border)
    # TensorFlow would join tf.pad to the convolution. For a single image, oneDNN then falls back to
    # its reference code, which takes a hundred times as long.
    return tf.raw_ops.PadV2(input=y, paddings=border, constant_values=0.0)


def _turned(kernel: tf.Tensor) -> tf.Tensor:
    """Returns the kernel of the adjoint: turned by half a circle, from filters to channels."""
    return tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
