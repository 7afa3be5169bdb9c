"""The scoring function of a ConvNet, layer by layer, with a top for each depth of its growth."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.architectures.activations import ACTIVATIONS, FORMS
from tfgen.nets.architectures.roles import EnergyNet, Size
from tfgen.nets.architectures.tables import WHOLE, Row, convs_of_table
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.frames import Taps
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import batch_normalizations


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
        image_shape: height, width, channels of the images that the weights are made for; before
            these, frames of clips.
        batch_norm: whether responses are normalized over the batch, but the first layer's.
        depth: layers in use; None: all.
        form: what the energy is of -f, a name of `FORMS`.
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
        form: str = "identity",
        **kwargs,
    ):
        present = [top for top in tops if top is not None]
        outputs = present[-1].filters if present else 1
        # A sum of maps has a value for images of any size; a top covers the map of one size only.
        # Layers of clips look at some frames, and the score is the sum over all times.
        lengths = convs[0].time is not None
        sizes = not present and not (lengths and _sees_whole_frames(convs, image_shape))
        super().__init__(image_shape, sizes, any_length=lengths, num_outputs=outputs, **kwargs)
        if activation not in ACTIVATIONS:
            raise UserError(
                f"activation: expected one of {', '.join(ACTIVATIONS)} and found {activation}"
            )
        self.convs = numbered(convs, "conv")
        # Keras does not track a list of layers that holds None. So the tops are kept in a list
        # without gaps, and the depth that each belongs to, from 1, in a tuple beside it.
        self._top_depths = tuple(
            number for number, top in enumerate(tops, start=1) if top is not None
        )
        self.tops = present
        for top, number in zip(present, self._top_depths, strict=True):
            top.name = f"top_{number}"
        self.activation = activation
        self.form = form
        # all layers but the first, so that norm_2 is that of conv_2
        count = len(self.convs) - 1 if batch_norm else 0
        self.norms = batch_normalizations(count, self.dtype_policy, start=2)
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
            "form": self.form,
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
        image_shape: Size,
        *,
        width: float,
        activation: str,
        outputs: int = 1,
        batch_norm: bool = False,
        spectral_norm: bool = False,
        hidden: int = 0,
        form: str = "identity",
        scale: float = 0.02,
    ) -> "ScoringFunction":
        """Makes a net from a table.

        The score is read from the last map by filters over the whole of it, or is the map's sum.

        Args:
            rows: the table, from the bottom up.
            image_shape: height, width, channels; before these, frames of clips.
            width: factor on the numbers of filters.
            activation: a name of `ACTIVATIONS`.
            outputs: top filters, one a class; 0 where the score is the sum of the last map.
            batch_norm: see the class.
            spectral_norm: whether kernels have a largest singular value of 1.
            hidden: filters over the whole of the last map, before the top; 0: none.
            form: see the class.
            scale: standard deviation of the weights' normal initialization.
        """
        options: dict[str, Any] = {"initializer_scale": scale, "spectral_norm": spectral_norm}
        convs, shape = convs_of_table(rows, image_shape, width=width, **options)
        # of clips, filters over a whole map see one frame of it at a time
        frame = None if convs[0].time is None else Taps(1)
        if hidden:
            sizes = Row(hidden, WHOLE, time=frame).over(shape[1:-1])
            convs.append(Conv(*sizes, use_bias=False, **options))
            shape = convs[-1].compute_output_shape(shape)
        sizes = Row(outputs, WHOLE, time=frame).over(shape[1:-1])
        top = Conv(*sizes, use_bias=False, **options) if outputs else None
        tops = [*[None] * (len(convs) - 1), top]
        return cls(convs, tops, activation, image_shape, batch_norm, form=form)

    @property
    def max_depth(self) -> int:
        return len(self.convs)

    def check_size(self, *sides: int) -> None:
        super().check_size(*sides)
        self.map_shapes((None, *sides, self.image_shape[-1]))

    @property
    def layers_in_use(self) -> list[Conv]:
        """The convolutions up to the present depth, from the bottom up."""
        return self.convs[: self.depth]

    @property
    def top(self) -> Conv | None:
        """The filter over the present top layer, or None where maps are summed."""
        return self._top_at(self.depth)

    def _top_at(self, depth: int) -> Conv | None:
        return self.tops[self._top_depths.index(depth)] if depth in self._top_depths else None

    def build(self, input_shape):
        # all depths at once, so that growth adds no weights that an optimizer does not know
        shapes = self.map_shapes(input_shape)
        for number, conv in enumerate(self.convs):
            conv.build(shapes[number])
            if self.norms and number:
                self.norms[number - 1].build(shapes[number + 1])
            top = self._top_at(number + 1)
            if top is not None:
                top.build(shapes[number + 1])

    def map_area(self, variable: keras.Variable, image_shape: Size) -> int:
        # 1 for a top, which covers its map
        shapes = self.map_shapes((None, *image_shape))[1:]
        for conv, shape in zip(self.convs, shapes, strict=True):
            # by identity: `in` would compare the variables' values
            if any(variable is own for own in conv.trainable_variables):
                return math.prod(shape[1:-1])
        return 1

    def map_shapes(self, input_shape) -> list[tuple]:
        """Returns the shapes of the image and of each layer's maps above it.

        Args:
            input_shape: of a batch; None where unknown.

        Raises:
            UserError: if the image is too small.
        """
        shapes = [tuple(input_shape)]
        for conv in self.convs:
            shapes.append(conv.compute_output_shape(shapes[-1]))
            if min(shapes[-1][1:-1]) < 1:
                filters, images = (_by(sides) for sides in (conv.kernel_size, input_shape[1:-1]))
                raise UserError(
                    f"image_size: expected images large enough for the net's {filters} filters and "
                    f"found {images}"
                )
        return shapes

    def call(self, x, training=False):
        h = x
        for number, conv in enumerate(self.layers_in_use):
            r = conv(h, training=training)
            if self.norms and number:
                r = self.norms[number - 1](r, training=training)
            h = ACTIVATIONS[self.activation].function(r)
        # sums of many responses need float32, whatever the layers compute in
        if self.top is None:
            axes = list(range(1, h.shape.rank))
            return FORMS[self.form](-tf.reduce_sum(tf.cast(h, tf.float32), axis=axes))
        # the top's map has one place where images have the size that the weights are made for
        maps = tf.cast(self.top(h, training=training), tf.float32)
        f = tf.reduce_sum(maps, axis=list(range(1, maps.shape.rank - 1)))
        # LiteRT has a gradient of reshape, and none of f[:, 0]
        return FORMS[self.form](-f if f.shape[-1] > 1 else tf.reshape(-f, [-1]))


def tops_over(
    convs: Sequence[Conv], image_shape: Size, outputs: int, scales: Sequence[float | None]
) -> list[Conv]:
    """Returns a top for each depth: filters over the whole of the layer's maps, without biases.

    Args:
        convs: the layers, from the bottom up.
        image_shape: height, width, channels.
        outputs: filters of each top.
        scales: for each top, the standard deviation of its normal initialization; None: He's.
    """
    tops: list[Conv] = []
    shape: tuple = (None, *image_shape)
    for conv, scale in zip(convs, scales, strict=True):
        shape = conv.compute_output_shape(shape)
        tops.append(Conv(outputs, shape[1:3], use_bias=False, initializer_scale=scale))
    return tops


def _sees_whole_frames(convs: Sequence[Conv], image_shape: Size) -> bool:
    """Tells whether a layer's kernel covers the whole height and width of the maps below it."""
    shape: tuple = (None, *image_shape)
    for conv in convs:
        if tuple(conv.kernel_size) == tuple(shape[-3:-1]):
            return True
        shape = conv.compute_output_shape(shape)
    return False


def _by(sides: Sequence[int]) -> str:
    return "x".join(map(str, sides))
