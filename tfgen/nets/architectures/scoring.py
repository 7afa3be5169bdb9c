"""The ConvNet's scoring function, layer by layer: what the generative ConvNet's nets are built of."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.errors import UserError
from tfgen.nets.architectures.roles import EnergyNet, Size
from tfgen.nets.architectures.tables import Row, convs_of_table
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import batch_normalization

LEAK = 0.2
"""The slope of a leaky ReLU below zero."""


class Activation(NamedTuple):
    """h of equation 1, and its derivative."""

    function: Callable[[tf.Tensor], tf.Tensor]
    slope: Callable[[tf.Tensor], tf.Tensor]


def _swish_slope(r: tf.Tensor) -> tf.Tensor:
    gate = tf.sigmoid(r)
    return gate * (1 + r * (1 - gate))


ACTIVATIONS = {
    "relu": Activation(portability.relu, lambda r: tf.cast(r > 0, r.dtype)),
    # tf.nn.swish has a custom gradient, which a LiteRT signature cannot hold
    "swish": Activation(lambda r: r * tf.sigmoid(r), _swish_slope),
    "leaky_relu": Activation(
        lambda r: portability.leaky_relu(r, LEAK),
        lambda r: tf.where(r > 0, tf.ones_like(r), LEAK),
    ),
}
"""The generative ConvNet's, a smooth one, and the divergence triangle's."""


@keras.saving.register_keras_serializable("tfgen")
class ScoringFunction(EnergyNet):
    """The negative score -f(I; w) of a ConvNet, cut at a layer of its growth.

    Called on images [b, h, w, c] it returns energies -f, float32: [b], or [b, outputs] where there
    are several top filters, one a class.

    Args:
        convs: the layers from the bottom up; the activation follows each.
        tops: for each layer, the filter that covers the whole image when growth has come so far, or
            None where the score is the sum of the layer's maps (equation 6).
        activation: a name of `ACTIVATIONS`.
        image_shape: height, width, channels of the images that the weights are made for.
        batch_norm: whether the responses of every layer but the first are normalized over the batch.
        depth: layers in use; None: all.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the activation is unknown or the images are too small.

    Attributes:
        depth: how many layers are in use; the growth of Algorithm 1 sets it.

    Source: A Theory of Generative ConvNet, equations 1, 2 and 6.
    """

    def __init__(
        self,
        convs: Sequence[Conv],
        tops: Sequence[Conv | None],
        activation: str,
        image_shape: Size,
        batch_norm: bool = False,
        depth: int | None = None,
        **kwargs,
    ):
        present = [top for top in tops if top is not None]
        outputs = present[-1].filters if present else 1
        # a sum of maps has a value for images of any size
        super().__init__(image_shape, any_size=not present, num_outputs=outputs, **kwargs)
        if activation not in ACTIVATIONS:
            raise UserError(
                f"activation: expected one of {', '.join(ACTIVATIONS)} and found {activation}"
            )
        self.convs = numbered(convs, "conv")
        self._top_depths = tuple(
            number for number, top in enumerate(tops, start=1) if top is not None
        )
        self.tops = present
        for top, number in zip(present, self._top_depths, strict=True):
            top.name = f"top_{number}"
        self.activation = activation
        norms = (
            [batch_normalization(self.dtype_policy) for _ in self.convs[1:]] if batch_norm else []
        )
        self.norms = numbered(norms, "norm", start=2)
        self.depth = depth or len(self.convs)
        self.build((None, *self.image_shape))

    def get_config(self):
        tops = [self._top_at(depth) for depth in range(1, self.max_depth + 1)]
        return super().get_config() | {
            "convs": [conv.get_config() for conv in self.convs],
            "tops": [None if top is None else top.get_config() for top in tops],
            "activation": self.activation,
            "batch_norm": bool(self.norms),
            "depth": self.depth,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        convs = [Conv.from_config(conv) for conv in config.pop("convs")]
        tops = [None if top is None else Conv.from_config(top) for top in config.pop("tops")]
        return cls(convs, tops, **config)

    @classmethod
    def from_table(
        cls,
        rows: Sequence[Row],
        image_shape: tuple[int, int, int],
        *,
        width: float,
        activation: str,
        outputs: int = 1,
        batch_norm: bool = False,
        spectral_norm: bool = False,
        scale: float = 0.02,
    ) -> "ScoringFunction":
        """The score that top filters over the whole last map read, or its sum, above layers as a table has them.

        Args:
            rows: the table, from the bottom up.
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            activation: a name of `ACTIVATIONS`.
            outputs: top filters, one a class; 0 where the score is the sum of the last map.
            batch_norm: see the class.
            spectral_norm: whether kernels have a largest singular value of 1.
            scale: standard deviation of the weights' normal start.
        """
        options = {"initializer_scale": scale, "spectral_norm": spectral_norm}
        convs, shape = convs_of_table(rows, image_shape, width=width, **options)
        top = Conv(outputs, shape[1:3], use_bias=False, **options) if outputs else None
        return cls(convs, [None] * (len(convs) - 1) + [top], activation, image_shape, batch_norm)

    @property
    def max_depth(self) -> int:
        return len(self.convs)

    def check_size(self, height: int, width: int) -> None:
        super().check_size(height, width)
        self.map_shapes((None, height, width, self.image_shape[2]))

    @property
    def layers_in_use(self) -> list[Conv]:
        """The convolutions that the present depth reaches, from the bottom up."""
        return self.convs[: self.depth]

    @property
    def top(self) -> Conv | None:
        """The filter over the present top layer, or None where maps are summed."""
        return self._top_at(self.depth)

    def _top_at(self, depth: int) -> Conv | None:
        return self.tops[self._top_depths.index(depth)] if depth in self._top_depths else None

    def build(self, input_shape):
        shapes = self.map_shapes(input_shape)
        for depth, (conv, below, above) in enumerate(
            zip(self.convs, shapes[:-1], shapes[1:], strict=True), start=1
        ):
            conv.build(below)
            if self.norms and depth > 1:
                self.norms[depth - 2].build(above)
            if self._top_at(depth) is not None:
                self._top_at(depth).build(above)
        self.built = True

    def map_area(self, variable: keras.Variable, image_shape: tuple[int, int, int]) -> int:
        """Positions in the maps of the layer that a variable belongs to; 1 for a top filter's."""
        shapes = self.map_shapes((None, *image_shape))[1:]
        for conv, (_, height, width, _) in zip(self.convs, shapes, strict=True):
            if any(variable is own for own in conv.trainable_variables):
                return height * width
        return 1

    def map_shapes(self, input_shape) -> list[tuple]:
        """The shapes of the image and of each layer's maps above it.

        Args:
            input_shape: batch, height, width, channels; None where unknown.

        Raises:
            UserError: if the image is too small.
        """
        shapes = [tuple(input_shape)]
        for conv in self.convs:
            shapes.append(conv.compute_output_shape(shapes[-1]))
            if min(shapes[-1][1:3]) < 1:
                raise UserError(
                    f"image_size: expected images large enough for the net's {conv.kernel_size[0]}x"
                    f"{conv.kernel_size[1]} filters and found {'x'.join(map(str, input_shape[1:3]))}"
                )
        return shapes

    def call(self, x, training=False):
        h = x
        for number, conv in enumerate(self.layers_in_use):
            r = conv(h, training=training)
            if self.norms and number:
                r = self.norms[number - 1](r, training=training)
            h = ACTIVATIONS[self.activation].function(r)
        if self.top is None:
            return -tf.reduce_sum(tf.cast(h, tf.float32), axis=[1, 2, 3])
        f = tf.reduce_sum(tf.cast(self.top(h, training=training), tf.float32), axis=[1, 2])
        return -f if f.shape[-1] > 1 else -f[:, 0]
