"""An energy by residual blocks without normalization."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.architectures.activations import silu
from tfgen.nets.architectures.roles import EnergyNet, Size
from tfgen.nets.convolution.layers import Conv


class Block(NamedTuple):
    """A row of a residual net's table."""

    filters: int
    strides: int = 1
    """1, or 2 where the block halves the maps."""


class ResidualBlock(keras.layers.Layer):
    """A residual block with the activations before the convolutions: x + conv(silu(conv(silu(x)))).

    Weights start as He's. Where the shape changes, a convolution takes the place of the x.

    Args:
        channels: of the input.
        filters: number of output channels.
        strides: 1 or 2.
        kwargs: Keras's own: name, dtype, trainable.
    """

    def __init__(self, channels: int, filters: int, strides: int, **kwargs):
        super().__init__(**kwargs)
        common = {"initializer_scale": None, "dtype": self.dtype_policy}  # None: He's scale
        # a kernel that the stride divides meets every pixel equally often
        taps = 3 if strides == 1 else 4
        self.lower = Conv(filters, 3, 1, 1, name="lower", **common)
        self.upper = Conv(filters, taps, strides, 1, name="upper", **common)
        self.skip: Conv | None = None
        if strides > 1 or channels != filters:
            self.skip = Conv(filters, strides, strides, use_bias=False, name="skip", **common)

    def build(self, input_shape):
        self.lower.build(input_shape)
        self.upper.build(self.lower.compute_output_shape(input_shape))
        if self.skip is not None:
            self.skip.build(input_shape)

    def compute_output_shape(self, input_shape):
        return self.upper.compute_output_shape(self.lower.compute_output_shape(input_shape))

    def call(self, x, training=False):
        h = self.lower(silu(x), training=training)
        h = self.upper(silu(h), training=training)
        return h + (x if self.skip is None else self.skip(x, training=training))


@keras.saving.register_keras_serializable("tfgen")
class ResidualEnergy(EnergyNet):
    """An energy by a convolution, residual blocks, and a linear top summed over places.

    Called on images [b, h, w, c] it returns energies, float32: [b], or [b, outputs] where there are
    several. The sum has a value for images of any size.

    Args:
        blocks: (filters, strides) of each block, from the bottom up; the first convolution has the
            filters of the first block.
        image_shape: height, width, channels.
        outputs: energies of an image, one a class.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the images are too small.

    Source: Du and Mordatch, Implicit generation and modeling with energy-based models, 2019.
    """

    def __init__(self, blocks: Sequence[Block], image_shape: Size, outputs: int = 1, **kwargs):
        super().__init__(image_shape, any_size=True, num_outputs=outputs, **kwargs)
        self.table = [Block(*block) for block in blocks]
        dtype, channels = self.dtype_policy, self.table[0].filters
        self.stem = Conv(channels, 3, 1, 1, initializer_scale=None, name="stem", dtype=dtype)
        self.blocks = []
        for number, (filters, strides) in enumerate(self.table, start=1):
            name = f"block_{number}"
            self.blocks.append(ResidualBlock(channels, filters, strides, name=name, dtype=dtype))
            channels = filters
        # without a bias, since a constant would not change the density
        self.top = Conv(outputs, 1, use_bias=False, name="top", dtype=dtype, initializer_scale=0.02)
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {
            "blocks": [list(block) for block in self.table],
            "outputs": self.num_outputs,
        }

    def build(self, input_shape):
        shapes = self.map_shapes(input_shape)
        for layer, shape in zip([*self._layers_below, self.top], shapes, strict=True):
            layer.build(shape)

    @property
    def _layers_below(self) -> list[keras.layers.Layer]:
        return [self.stem, *self.blocks]

    def check_size(self, *sides: int) -> None:
        super().check_size(*sides)
        self.map_shapes((None, *sides, self.image_shape[-1]))

    def map_shapes(self, input_shape) -> list[tuple]:
        """Returns the shapes of the image, the stem's maps and each block's.

        Args:
            input_shape: batch, height, width, channels; None where unknown.

        Raises:
            UserError: if the image is too small.
        """
        shapes = [tuple(input_shape)]
        for layer in self._layers_below:
            shapes.append(layer.compute_output_shape(shapes[-1]))
        if 0 in shapes[-1][1:3]:
            size = "x".join(map(str, input_shape[1:3]))
            raise UserError(
                f"image_size: expected images large enough to be halved by each block of stride 2 "
                f"and found {size}"
            )
        return shapes

    def map_area(self, variable: keras.Variable, image_shape: Size) -> int:
        shapes = self.map_shapes((None, *image_shape))[1:]
        for layer, (_, height, width, _) in zip(self._layers_below, shapes, strict=True):
            # by identity: `in` would compare the variables' values
            if any(variable is own for own in layer.trainable_variables):
                return height * width
        return 1

    def call(self, x, training=False):
        h = self.stem(x, training=training)
        for block in self.blocks:
            h = block(h, training=training)
        # blocks end without an activation; a sum of many places needs float32
        maps = tf.cast(self.top(silu(h), training=training), tf.float32)
        u = tf.reduce_sum(maps, axis=[1, 2])
        return u if self.num_outputs > 1 else u[:, 0]
