"""The two convolution layers that all nets share."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfgen import hoisting
from tfgen.nets.convolution import frames, implementations, toom_cook
from tfgen.nets.convolution.adjoint import (
    adjoint,
    blocks_of_kernel,
    ceil_to,
    convolve,
    convolve_portably,
)
from tfgen.nets.convolution.filters import Filters
from tfgen.nets.convolution.normalization import largest_singular_value
from tfgen.nets.convolution.transforms import Plan


@keras.saving.register_keras_serializable("tfgen")
class Conv(Filters):
    """A convolution with explicit zero padding, whose transpose can be asked for.

    The stored kernel is [height, width, in, filters], however the layer runs. With taps in time,
    its input channels are those of all frames that it sees, the first frame's first.

    Args:
        sizes: filters, kernel_size, strides, padding, time and use_bias, see `Filters`.
        initializer_scale: see `Filters`.
        spectral_norm: whether the kernel, as a matrix, is divided by its largest singular value.
        kwargs: `convolution`, see `Filters`, and Keras's own.
    """

    def __init__(
        self,
        *sizes,
        initializer_scale: float | None = 0.01,
        spectral_norm: bool = False,
        **kwargs,
    ):
        super().__init__(*sizes, initializer_scale=initializer_scale, **kwargs)
        self.spectral_norm = spectral_norm

    def get_config(self):
        return super().get_config() | {"spectral_norm": self.spectral_norm}

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
        if self.time is None:
            return self._biased(self._convolved(x, training))
        seen = frames.windows(x, self.time)
        maps = frames.each(lambda images: self._convolved(images, training), seen)
        # slices of unknown length forget the other sides
        return self._biased(tf.ensure_shape(maps, self.compute_output_shape(x.shape)))

    def linear(self, training: bool = False) -> tf.Tensor:
        """Returns the kernel that acts, [height, width, in, filters].

        Args:
            training: whether the estimate of a normalized kernel's largest singular value moves on
                by a step of the power method.
        """
        kernel = tf.convert_to_tensor(self.kernel)
        if not self.spectral_norm:
            return kernel
        largest, right = largest_singular_value(
            tf.cast(self.kernel.value, tf.float32), tf.cast(self.direction.value, tf.float32)
        )
        if training:
            self.direction.assign(right)
        return kernel / tf.cast(largest, kernel.dtype)

    def transpose(self, y: tf.Tensor, input_shape: tf.Tensor) -> tf.Tensor:
        """Applies the adjoint of the linear part: maps of coefficients to the image they superpose.

        Args:
            y: [b, h', w', filters], or [b, t', h', w', filters] for clips.
            input_shape: int32 [4] or [5], the shape of what the layer was called on.

        Returns:
            A tensor of shape `input_shape`.
        """
        # sides that are known while a graph is traced give static shapes, which LiteRT needs
        known = tf.get_static_value(input_shape)
        axes = range(1, y.shape.rank - 1)
        sides = [input_shape[axis] if known is None else int(known[axis]) for axis in axes]
        *times, height, width = sides
        kernel = self.linear()

        def images(maps):
            return adjoint(maps, kernel, self.strides, self.padding, (height, width))

        if self.time is None:
            return images(y)
        return frames.overlapped(frames.each(images, y), self.time, times[0])

    def _convolved(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        convolution = implementations.Convolution(
            x.shape, self.kernel_size, self.strides, self.padding, self.filters
        )
        match implementations.chosen(self.convolution, convolution, x.dtype):
            case "product":
                return self._product(x, training)
            case "toom_cook":
                plan = convolution.plan  # depends on the images' size
                kernel = self._hoisted(
                    lambda: toom_cook.prepared(self.linear(training), plan), training, plan
                )
                return toom_cook.convolve(x, kernel, plan)
            case "space_to_depth":
                kernel = self._hoisted(
                    lambda: blocks_of_kernel(self.linear(training), self.strides), training
                )
                return convolve(self._blocks(x), kernel)
            case "portable":  # of exported models, whose weights are constants
                return convolve_portably(x, self.linear(), self.strides, self.padding)
        p = self.padding
        kernel = self._hoisted(lambda: self.linear(training), training)
        return tf.nn.conv2d(x, kernel, self.strides, [[0, 0], [p, p], [p, p], [0, 0]])

    def _product(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        """Convolves with a kernel as large as the image, as with one of 1x1: gradients are fast."""
        # with tf.matmul, runs did not always resume bit for bit
        kernel = tf.reshape(self.linear(training), [1, 1, -1, self.filters])
        return tf.nn.conv2d(tf.reshape(x, [-1, 1, 1, kernel.shape[2]]), kernel, 1, "VALID")

    def _hoisted(
        self, prepare: Callable[[], tf.Tensor], training: bool, plan: Plan | None = None
    ) -> tf.Tensor:
        """Returns a prepared kernel, made once for a loop in which the weights stand still."""
        # In training, weights and singular vectors change from call to call. A layer may see images
        # of several sizes in one loop, so the plan is part of the key; plans are kept for good.
        return prepare() if training else hoisting.held((id(self), id(plan)), prepare)

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.frames_seen * channels, self.filters

    def _output_side(self, side, taps: int, strides: int, padding: int):
        return None if side is None else (side + 2 * padding - taps) // strides + 1

    def _blocks(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the padded image with blocks of strides x strides pixels as channels."""
        around, sides = [], []
        for axis, taps in enumerate(self.kernel_size, start=1):
            side = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
            places = self._output_side(side, taps, self.strides, self.padding)
            # what the kernels, padded to whole blocks, reach over
            needed = (places - 1) * self.strides + ceil_to(taps, self.strides)
            # zeros beyond the padding meet only the zeros that blocks_of_kernel adds
            around.append([self.padding, tf.maximum(needed - side - self.padding, 0)])
            sides.append(needed)
        x = tf.pad(x, [[0, 0], *around, [0, 0]])
        # tf.slice, since LiteRT has no gradient of a strided one
        return tf.nn.space_to_depth(tf.slice(x, [0, 0, 0, 0], [-1, *sides, -1]), self.strides)


@keras.saving.register_keras_serializable("tfgen")
class ConvTranspose(Filters):
    """The adjoint of a convolution.

    Images become `strides` times as large, and `kernel_size - 2 padding - strides` larger. The
    kernel is [height, width, filters, in]; with taps in time, it has the filters of each frame that
    it makes, the first frame's first. Outside of LiteRT, `space_to_depth` means `direct`.

    Args:
        filters, kernel_size, strides, padding, time, use_bias, initializer_scale, convolution: see
            `Filters`.
    """

    def call(self, x):
        if self.time is None:
            return self._biased(self._transposed(x))
        length = self._output_side(frames.sides(x)[0], *self.time)
        made = frames.overlapped(frames.each(self._transposed, x), self.time, length)
        # slices of unknown length forget the other sides
        return self._biased(tf.ensure_shape(made, self.compute_output_shape(x.shape)))

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.frames_seen * self.filters, channels

    def _transposed(self, x: tf.Tensor) -> tf.Tensor:
        # the sizes of the convolution that this is the adjoint of: its images are our output
        kernel, sides = tf.convert_to_tensor(self.kernel), self._sides(x)
        known = [side if isinstance(side, int) else None for side in sides]
        images = (x.shape[0], *known, kernel.shape[2])
        convolution = implementations.Convolution(
            images, self.kernel_size, self.strides, self.padding, x.shape[-1]
        )
        match implementations.chosen_for_adjoint(self.convolution, convolution, x.dtype):
            case "toom_cook":
                plan = convolution.plan
                prepared = hoisting.held(
                    (id(self), id(plan)), lambda: toom_cook.prepared(kernel, plan)
                )
                return toom_cook.transpose(x, prepared, plan)
            case "direct":
                p = self.padding
                size = tf.stack([tf.shape(x)[0], *sides, kernel.shape[2]])
                padding = [[0, 0], [p, p], [p, p], [0, 0]]
                y = tf.nn.conv2d_transpose(x, kernel, size, self.strides, padding)
            case _:
                y = adjoint(x, kernel, self.strides, self.padding, sides)
        return tf.ensure_shape(y, images)

    def _sides(self, x: tf.Tensor) -> tuple:
        """Returns height and width of the images; scalar tensors where they are not known yet."""
        found = []
        for axis, taps in enumerate(self.kernel_size, start=1):
            side = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
            found.append(self._output_side(side, taps, self.strides, self.padding))
        return tuple(found)

    def _output_side(self, side, taps: int, strides: int, padding: int):
        return None if side is None else (side - 1) * strides + taps - 2 * padding
