"""The part that a convolution layer and its adjoint share: the kernel, the bias, the geometry."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.frames import Taps

AnyLayer = TypeVar("AnyLayer", bound=keras.layers.Layer)


class Filters(keras.layers.Layer):
    """The base of `Conv` and `ConvTranspose`: a kernel, an optional bias, and their geometry.

    A layer runs in one of several ways, which `implementations` chooses. All ways give the same
    numbers from the same weights, up to rounding.

    A layer with taps in time convolves clips [b, t, h, w, c]; one without, images [b, h, w, c].

    Args:
        filters: number of output channels, at least 1.
        kernel_size: height and width, an integer or a pair.
        strides: sub-sampling factor between the larger and the smaller images, at least 1.
        padding: zeros on each side of the larger images.
        time: size, strides and padding in time, in frames; None for a layer of images.
        use_bias: whether a bias is added.
        initializer_scale: standard deviation of the kernel's normal initialization; None: He's.
        convolution: one of `implementations.NAMES`; None takes the default that holds when the
            layer is made.

    Raises:
        UserError: if there are no filters.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int = 1,
        padding: int = 0,
        time: Sequence[int] | None = None,
        use_bias: bool = True,
        *,
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
        rows, columns = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        self.kernel_size = (rows, columns)
        self.strides = strides
        self.padding = padding
        self.time = None if time is None else Taps(*time)
        self.use_bias = use_bias
        self.initializer_scale = initializer_scale
        # What the layer was told is part of its config. How it runs is not: a saved net that names
        # no way takes the default of the process that loads it.
        self._own_convolution = convolution
        self.convolution = convolution or implementations.default()

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": self.strides,
            "padding": self.padding,
            "time": None if self.time is None else list(self.time),
            "use_bias": self.use_bias,
            "initializer_scale": self.initializer_scale,
            "convolution": self._own_convolution,
        }

    def build(self, input_shape):
        # TensorFlow itself would take some images of other channels
        self.input_spec = keras.layers.InputSpec(axes={-1: input_shape[-1]})
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, *self._kernel_channels(input_shape[-1])),
            initializer=self._initializer(),
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        axes = [(taps, self.strides, self.padding) for taps in self.kernel_size]
        if self.time is not None:
            axes.insert(0, self.time)
        if len(sides) != len(axes):
            expected, found = ("images", "clips") if self.time is None else ("clips", "images")
            raise UserError(f"dataset: expected {expected} for these nets and found {found}")
        found = (self._output_side(side, *axis) for side, axis in zip(sides, axes, strict=True))
        return (batch, *found, self.filters)

    @property
    def frames_seen(self) -> int:
        """The frames that the kernel sees at once; their channels lie side by side."""
        return 1 if self.time is None else self.time.size

    def _initializer(self) -> keras.initializers.Initializer:
        if self.initializer_scale is None:
            return keras.initializers.HeNormal()
        return keras.initializers.RandomNormal(stddev=self.initializer_scale)

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        """Returns the last two sides of the kernel, given the channels of the input."""
        raise NotImplementedError

    def _output_side(self, side, taps: int, strides: int, padding: int):
        """Returns a side of the output, given those of the input and of the kernel."""
        raise NotImplementedError

    def _biased(self, y: tf.Tensor) -> tf.Tensor:
        return y + tf.cast(self.bias, y.dtype) if self.use_bias else y


def numbered(layers: Iterable[AnyLayer], prefix: str, start: int = 1) -> list[AnyLayer]:
    """Names layers PREFIX_1, PREFIX_2, ... and returns them as a list.

    Keras numbers layers over the whole process; these names make the paths of weights the same in
    every process.

    Args:
        layers: not built yet.
        prefix: of the names.
        start: the first number.
    """
    found = list(layers)
    for number, layer in enumerate(found, start=start):
        layer.name = f"{prefix}_{number}"
    return found
