"""Convolution of stride 1, fast in both directions, and how others and their adjoints become it."""

import math

import tensorflow as tf


def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """The convolution of stride 1 without padding, whose input gradient is a convolution too.

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
            # TensorFlow's own convolution: a gradient nested in itself could not be saved with an exported model
            return tf.nn.conv2d(*_full(dy, kernel), 1, "VALID"), filters

        return tf.nn.conv2d(x, kernel, 1, "VALID"), gradient

    return convolution(x, kernel)


def convolve_portably(x: tf.Tensor, kernel: tf.Tensor, strides: int, padding: int) -> tf.Tensor:
    """A convolution whose input gradient is of operations that LiteRT has, which lacks TensorFlow's own.

    Args:
        x: [b, h, w, in], of known sides.
        kernel: [height, width, in, filters].
        strides: the sub-sampling.
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


def _full(y: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What to convolve with what for the adjoint of convolution with the kernel."""
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    return tf.pad(y, [[0, 0], [rows, rows], [columns, columns], [0, 0]]), _turned(kernel)


def _turned(kernel: tf.Tensor) -> tf.Tensor:
    """The kernel of the adjoint: turned by half a circle, from filters to channels."""
    return tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])


def adjoint(y: tf.Tensor, kernel: tf.Tensor, strides: int, padding: int, size: tuple) -> tf.Tensor:
    """The adjoint of a convolution, as one of stride 1 whose channels become blocks of pixels.

    Args:
        y: [b, h', w', filters].
        kernel: [height, width, channels, filters].
        strides: the convolution's.
        padding: the convolution's, zeros on each side of the image.
        size: h, w of the image; numbers, or scalars where they are not known yet.

    Returns:
        [b, h, w, channels].
    """
    if (
        not padding and tuple(y.shape[1:3]) == (1, 1) and tuple(size) == tuple(kernel.shape[:2])
    ):  # a matrix product
        x = tf.matmul(flat(y), tf.reshape(kernel, [-1, kernel.shape[3]]), transpose_b=True)
        return tf.reshape(x, [-1, *kernel.shape[:3]])
    kernel = _turned(blocks_of_kernel(kernel, strides))
    before, around = [], []
    for axis, (side, taps) in enumerate(zip(size, kernel.shape[:2], strict=True), start=1):
        places = y.shape[axis] if y.shape[axis] is not None else tf.shape(y)[axis]
        # whole blocks that the padding or the end of the image would cut off are not computed
        skipped = min(padding // strides, taps - 1)
        surplus = strides * (places + taps - 1) - padding - side
        around.append([taps - 1 - skipped, tf.maximum(taps - 1 - surplus // strides, 0)])
        before.append(padding - strides * skipped)
    x = tf.nn.conv2d(tf.pad(y, [[0, 0], *around, [0, 0]]), kernel, 1, "VALID")
    if strides > 1:
        x = tf.nn.depth_to_space(x, strides)
    return tf.slice(x, [0, *before, 0], [-1, *size, -1])


def blocks_of_kernel(kernel: tf.Tensor, s: int) -> tf.Tensor:
    """The kernel, zero-padded to whole blocks, that acts with stride 1 on blocks of s x s pixels as channels.

    Args:
        kernel: [height, width, channels, filters] of a convolution with stride s.
        s: the stride.

    Returns:
        [rows, columns, s s channels, filters].
    """
    height, width, channels, filters = kernel.shape
    rows, columns = ceil_to(height, s) // s, ceil_to(width, s) // s
    kernel = tf.pad(kernel, [[0, rows * s - height], [0, columns * s - width], [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, [rows, s, columns, s, channels, filters])
    kernel = tf.transpose(kernel, [0, 2, 1, 3, 4, 5])
    return tf.reshape(kernel, [rows, columns, s * s * channels, filters])


def flat(x: tf.Tensor) -> tf.Tensor:
    """Images [b, h, w, c] as vectors [b, h w c]."""
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])


def ceil_to(number: int, multiple: int) -> int:
    """The smallest multiple that is not below the number."""
    return -(-number // multiple) * multiple
