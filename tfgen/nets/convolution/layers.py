"""The few layers that the nets share."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfgen import hoisting
from tfgen.errors import UserError
from tfgen.nets.convolution import implementations, toom_cook
from tfgen.nets.convolution.adjoint import (
    adjoint,
    blocks_of_kernel,
    ceil_to,
    convolve,
    convolve_portably,
)


class _Filters(keras.layers.Layer):
    """What a convolution and its adjoint share: a kernel, maybe a bias, and how they lie on the images.

    It runs in one of several ways, of which `tfgen.nets.implementations` chooses: the same numbers from the same
    weights, up to rounding.

    Args:
        filters: how many channels come out.
        kernel_size: height and width, an integer or a pair.
        strides: how many pixels of the larger images are one of the smaller, at least 1.
        padding: zeros on each side of the larger images.
        use_bias: whether a bias is added.
        initializer_scale: standard deviation of the normal start of the kernel; None takes He's.
        convolution: a name of `implementations.NAMES`; None takes the default of when the layer is made.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int = 1,
        padding: int = 0,
        use_bias: bool = True,
        initializer_scale: float | None = 0.02,
        convolution: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if filters < 1:
            raise UserError(
                f"width or outputs: expected at least one filter in every layer and found {filters}"
            )
        self.filters = filters
        self.kernel_size = (
            (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        )
        self.strides = strides
        self.padding = padding
        self.use_bias = use_bias
        self.initializer_scale = initializer_scale
        self.convolution = convolution or implementations.default()

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(
            axes={-1: input_shape[-1]}
        )  # TensorFlow would take some others
        scale = self.initializer_scale
        start = (
            keras.initializers.HeNormal()
            if scale is None
            else keras.initializers.RandomNormal(stddev=scale)
        )
        channels = self._channels(input_shape[-1])
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, *channels), initializer=start, name="kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        sides = (self._output_side(n, k) for n, k in zip(sides, self.kernel_size, strict=True))
        return (batch, *sides, self.filters)

    def _biased(self, y: tf.Tensor) -> tf.Tensor:
        return y + tf.cast(self.bias, y.dtype) if self.use_bias else y


class Conv(_Filters):
    """A convolution with explicit zero padding, whose transpose can be asked for.

    The kernel on disk is [height, width, in, out] however it runs.

    Args:
        filters, kernel_size, strides, padding, use_bias, initializer_scale, convolution: see `_Filters`.
        spectral_norm: whether the kernel, as a matrix, is divided by its largest singular value.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int = 1,
        padding: int = 0,
        use_bias: bool = True,
        initializer_scale: float | None = 0.01,
        spectral_norm: bool = False,
        convolution: str | None = None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            use_bias,
            initializer_scale,
            convolution,
            **kwargs,
        )
        self.spectral_norm = spectral_norm

    def build(self, input_shape):
        super().build(input_shape)
        if self.spectral_norm:
            self.direction = self.add_weight(
                shape=(self.filters,),
                initializer="ones",
                trainable=False,
                aggregation="only_first_replica",
                name="direction",
            )

    def call(self, x, training=False):
        return self._biased(self._convolved(x, training))

    def _channels(self, channels: int) -> tuple[int, int]:
        return channels, self.filters

    def _convolved(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        convolution = implementations.Convolution(
            x.shape, self.kernel_size, self.strides, self.padding, self.filters
        )
        match implementations.chosen(self.convolution, convolution, x.dtype):
            case "product":  # as 1x1, where gradients are fast; with tf.matmul, runs did not always resume bit for bit
                kernel = tf.reshape(self.linear(training), [1, 1, -1, self.filters])
                return tf.nn.conv2d(tf.reshape(x, [-1, 1, 1, kernel.shape[2]]), kernel, 1, "VALID")
            case "toom_cook":
                plan = convolution.plan
                kernel = self._held(
                    lambda: toom_cook.prepared(self.linear(training), plan), training, plan
                )
                return toom_cook.convolve(x, kernel, plan)
            case "space_to_depth":
                kernel = self._held(
                    lambda: blocks_of_kernel(self.linear(training), self.strides), training
                )
                return convolve(self._blocks(x), kernel)
            case "portable":
                return convolve_portably(x, self.linear(), self.strides, self.padding)
        p = self.padding
        kernel = self._held(lambda: self.linear(training), training)
        return tf.nn.conv2d(x, kernel, self.strides, [[0, 0], [p, p], [p, p], [0, 0]])

    def _held(
        self, kernel: Callable[[], tf.Tensor], training: bool, plan: toom_cook.Plan | None = None
    ) -> tf.Tensor:
        """A kernel that is prepared once for a loop in which the weights stand still."""
        return kernel() if training else hoisting.held((id(self), id(plan)), kernel)

    def linear(self, training: bool = False) -> tf.Tensor:
        """The kernel that acts, [height, width, in, filters].

        Args:
            training: whether a normalized kernel's largest singular value is followed by a step of the power method.

        Source of the normalization: Miyato et al., Spectral normalization for GANs, 2018, Algorithm 1.
        """
        kernel = tf.convert_to_tensor(self.kernel)
        if not self.spectral_norm:
            return kernel
        matrix = tf.reshape(tf.cast(self.kernel.value, tf.float32), [-1, self.filters])
        left = tf.math.l2_normalize(
            tf.linalg.matvec(matrix, tf.cast(self.direction.value, tf.float32))
        )
        right = tf.math.l2_normalize(tf.linalg.matvec(matrix, left, transpose_a=True))
        left, right = tf.stop_gradient(left), tf.stop_gradient(right)
        if training:
            self.direction.assign(right)
        largest = tf.tensordot(left, tf.linalg.matvec(matrix, right), 1)
        return kernel / tf.cast(largest, kernel.dtype)

    def transpose(self, y: tf.Tensor, input_shape: tf.Tensor) -> tf.Tensor:
        """The adjoint of the linear part: coefficient maps of the filters to the image they superpose.

        Args:
            y: [b, h', w', filters].
            input_shape: int32 [4], the shape of what the layer was called on.

        Returns:
            A tensor of shape `input_shape`.
        """
        known = tf.get_static_value(input_shape)
        size = (
            tuple(map(int, known[1:3])) if known is not None else (input_shape[1], input_shape[2])
        )
        return adjoint(y, self.linear(), self.strides, self.padding, size)

    def _output_side(self, side: int | None, kernel: int) -> int | None:
        return None if side is None else (side + 2 * self.padding - kernel) // self.strides + 1

    def _blocks(self, x: tf.Tensor) -> tf.Tensor:
        """The padded image with blocks of strides x strides pixels as channels."""
        before, after, sides = [0, 0], [0, 0], []
        for axis, width in zip((1, 2), self.kernel_size, strict=True):
            side = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
            needed = (self._output_side(side, width) - 1) * self.strides + ceil_to(
                width, self.strides
            )
            sides.append(needed)
            before[axis - 1] = self.padding
            # the zeros added beyond the padding meet only the zeros added to the kernel
            after[axis - 1] = tf.maximum(needed - side - self.padding, 0)
        x = tf.pad(x, [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]])
        # tf.slice, since LiteRT has no gradient of a strided one
        return tf.nn.space_to_depth(tf.slice(x, [0, 0, 0, 0], [-1, *sides, -1]), self.strides)


class ConvTranspose(_Filters):
    """The adjoint of a convolution: images `strides` times as large, and `kernel_size - 2 padding - strides` larger.

    The kernel is [height, width, filters, in]. Of the ways to run, space_to_depth is LiteRT's; it is direct elsewhere.

    Args:
        filters, kernel_size, strides, padding, use_bias, initializer_scale, convolution: see `_Filters`.
    """

    def call(self, x):
        return self._biased(self._transposed(x))

    def _channels(self, channels: int) -> tuple[int, int]:
        return self.filters, channels

    def _transposed(self, x: tf.Tensor) -> tf.Tensor:
        images = self.compute_output_shape(x.shape)
        convolution = implementations.Convolution(
            images, self.kernel_size, self.strides, self.padding, x.shape[-1]
        )
        kernel, p, sides = tf.convert_to_tensor(self.kernel), self.padding, self._sides(x)
        match implementations.chosen_for_adjoint(self.convolution, convolution, x.dtype):
            case "toom_cook":
                plan = convolution.plan
                held = hoisting.held((id(self), id(plan)), lambda: toom_cook.prepared(kernel, plan))
                return toom_cook.transpose(x, held, plan)
            case "direct":
                size = tf.stack([tf.shape(x)[0], *sides, self.filters])
                y = tf.nn.conv2d_transpose(
                    x, kernel, size, self.strides, [[0, 0], [p, p], [p, p], [0, 0]]
                )
            case _:
                y = adjoint(x, kernel, self.strides, p, sides)
        return tf.ensure_shape(y, images)

    def _sides(self, x: tf.Tensor) -> tuple:
        """Height and width of the images; scalars where they are not known yet."""
        known = [
            x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis] for axis in (1, 2)
        ]
        return tuple(self._output_side(n, k) for n, k in zip(known, self.kernel_size, strict=True))

    def _output_side(self, side, kernel: int):
        return None if side is None else (side - 1) * self.strides + kernel - 2 * self.padding


def batch_normalization() -> keras.layers.BatchNormalization:
    """As DCGANs have it: gains start from N(1, 0.02²), running statistics follow by a tenth."""
    gains = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gains)
