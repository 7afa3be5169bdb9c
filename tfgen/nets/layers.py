"""The few layers that the nets share."""

import keras
import tensorflow as tf

from tfgen.errors import UserError


class Conv(keras.layers.Layer):
    """A convolution with explicit zero padding, whose transpose can be asked for.

    A strided convolution with a kernel wider than its stride runs as space-to-depth and a stride-1
    convolution: the same numbers from the same weights, with an input gradient at the speed of a matrix
    product. The kernel on disk is [height, width, in, out] either way.

    Args:
        filters: how many.
        kernel_size: height and width, an integer or a pair.
        strides: the sub-sampling, at least 1.
        padding: zeros added on each side of the image.
        use_bias: whether a bias is added.
        initializer_scale: standard deviation of the normal start of the kernel; None takes He's.
        space_to_depth: whether to run strided convolutions by space-to-depth.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int = 1,
        padding: int = 0,
        use_bias: bool = True,
        initializer_scale: float | None = 0.01,
        space_to_depth: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if filters < 1:
            raise UserError(f"width or outputs: expected at least one filter in every layer and found {filters}")
        self.filters = filters
        self.kernel_size = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        self.strides = strides
        self.padding = padding
        self.use_bias = use_bias
        self.initializer_scale = initializer_scale
        self.space_to_depth = space_to_depth and 1 < strides < max(self.kernel_size)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, input_shape[-1], self.filters),
            initializer=self._initializer(),
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def _initializer(self) -> keras.initializers.Initializer:
        if self.initializer_scale is None:
            return keras.initializers.HeNormal()
        return keras.initializers.RandomNormal(stddev=self.initializer_scale)

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        return (
            batch,
            *(self._output_side(n, k) for n, k in zip(sides, self.kernel_size, strict=True)),
            self.filters,
        )

    def call(self, x):
        kernel = tf.convert_to_tensor(self.kernel)
        if self.space_to_depth:
            x, kernel = self._blocks(x), self._blocks_of_kernel(kernel)
            y = tf.nn.conv2d(x, kernel, 1, "VALID")
        else:
            p = self.padding
            y = tf.nn.conv2d(x, kernel, self.strides, [[0, 0], [p, p], [p, p], [0, 0]])
        return y + tf.cast(self.bias, y.dtype) if self.use_bias else y

    def transpose(self, y: tf.Tensor, input_shape: tf.Tensor) -> tf.Tensor:
        """The adjoint of the linear part: coefficient maps of the filters to the image they superpose.

        Args:
            y: [b, h', w', filters].
            input_shape: int32 [4], the shape of what the layer was called on.

        Returns:
            A tensor of shape `input_shape`.
        """
        p = self.padding
        padded = input_shape + tf.constant([0, 2 * p, 2 * p, 0])
        x = tf.nn.conv2d_transpose(y, tf.convert_to_tensor(self.kernel), padded, self.strides, "VALID")
        return x[:, p : padded[1] - p, p : padded[2] - p, :]

    def _output_side(self, side: int | None, kernel: int) -> int | None:
        return None if side is None else (side + 2 * self.padding - kernel) // self.strides + 1

    def _blocks(self, x: tf.Tensor) -> tf.Tensor:
        """The padded image with blocks of strides x strides pixels as channels."""
        before, after, sides = [0, 0], [0, 0], []
        for axis, width in zip((1, 2), self.kernel_size, strict=True):
            side = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
            needed = (self._output_side(side, width) - 1) * self.strides + _ceil_to(width, self.strides)
            sides.append(needed)
            before[axis - 1] = self.padding
            # the zeros added beyond the padding meet only the zeros added to the kernel
            after[axis - 1] = tf.maximum(needed - side - self.padding, 0)
        x = tf.pad(x, [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]])
        return tf.nn.space_to_depth(x[:, : sides[0], : sides[1]], self.strides)

    def _blocks_of_kernel(self, kernel: tf.Tensor) -> tf.Tensor:
        """The kernel, zero-padded to whole blocks, that acts on `_blocks` with stride 1."""
        s, channels = self.strides, kernel.shape[2]
        height, width = self.kernel_size
        rows, columns = _ceil_to(height, s) // s, _ceil_to(width, s) // s
        kernel = tf.pad(kernel, [[0, rows * s - height], [0, columns * s - width], [0, 0], [0, 0]])
        kernel = tf.reshape(kernel, [rows, s, columns, s, channels, self.filters])
        kernel = tf.transpose(kernel, [0, 2, 1, 3, 4, 5])
        return tf.reshape(kernel, [rows, columns, s * s * channels, self.filters])


def _ceil_to(number: int, multiple: int) -> int:
    """The smallest multiple that is not below the number."""
    return -(-number // multiple) * multiple
