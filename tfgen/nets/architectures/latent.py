"""The two nets between images and latents: generators and inference nets."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.errors import UserError
from tfgen.nets.architectures.activations import leaky_relu
from tfgen.nets.architectures.roles import GeneratorNet, InferenceNet, Size
from tfgen.nets.architectures.tables import WHOLE, Row, convs_of_table, too_small
from tfgen.nets.convolution.adjoint import flat
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.layers import Conv, ConvTranspose
from tfgen.nets.convolution.normalization import (
    batch_normalizations,
    normalizations,
    normalized,
)


@keras.saving.register_keras_serializable("tfgen")
class Generator(GeneratorNet):
    """A generator of transposed convolutions, with ReLUs between them and tanh at the end.

    Called on latents [b, *latent_shape] it returns images [b, h, w, c] in [-1, 1], float32.

    Args:
        layers: from the latents up; the last one's filters are the image's channels.
        latent_shape: (d,), or height, width, d of a map; before these, frames of one of clips.
        image_shape: height, width, channels; before these, frames of clips.
        normalization: of responses but the last layer's; see `NORMALIZATIONS`.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the layers do not lead from the latents to the images.
    """

    def __init__(
        self,
        layers: Sequence[ConvTranspose],
        latent_shape: tuple[int, ...],
        image_shape: Size,
        normalization: str = "batch",
        **kwargs,
    ):
        _at_least_one(latent_shape[-1])
        is_map, lengths = len(latent_shape) > 1, len(latent_shape) == 4
        sizes = is_map and not lengths
        super().__init__(latent_shape, image_shape, sizes, any_length=lengths, **kwargs)
        self.is_map = is_map
        self.stack = numbered(layers, "deconv")
        self.normalization = normalization
        self.norms = normalizations(normalization, len(self.stack) - 1, self.dtype_policy)
        self.build((None, *self.latent_shape))

    def get_config(self):
        return super().get_config() | {
            "layers": [layer.get_config() for layer in self.stack],
            "normalization": self.normalization,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if "batch_norm" in config:  # saved before there were other kinds
            config["normalization"] = "batch" if config.pop("batch_norm") else "none"
        layers = [ConvTranspose.from_config(layer) for layer in config.pop("layers")]
        return cls(layers, **config)

    def build(self, input_shape):
        shape = (None, *self._places(), *self.latent_shape)
        for number, layer in enumerate(self.stack):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
            if number < len(self.norms):
                self.norms[number].build(shape)
        if shape[1:] != self.image_shape:
            made, wanted = ("x".join(map(str, sides)) for sides in (shape[1:], self.image_shape))
            raise UserError(
                f"image_size: expected images of the size that the generator makes, {made}, "
                f"and found {wanted}"
            )

    @classmethod
    def from_table(
        cls,
        rows: Sequence[Row],
        latent_shape: tuple[int, ...],
        image_shape: Size,
        *,
        width: float,
        normalization: str,
    ) -> "Generator":
        """Makes a generator from a table.

        Args:
            rows: the table, from the latents up; the filters of the last are channels, not scaled.
            latent_shape: see the class.
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            normalization: see the class.
        """
        # from the image down, where the size is known; each layer is put before those above it
        *hidden, last = rows
        height, map_width = image_shape[-3:-1]
        layers = [ConvTranspose(*last.over((height, map_width)))]
        for row, above in zip(reversed(hidden), reversed(rows), strict=False):
            # a row over the whole map makes what the rows above it enlarge to the image
            height, map_width = height // above.strides, map_width // above.strides
            sizes = row.scaled(width).over((height, map_width))
            # normalization subtracts a bias again, and has one of its own
            layers.insert(0, ConvTranspose(*sizes, use_bias=normalization == "none"))
        return cls(layers, latent_shape, image_shape, normalization)

    def of_inferred(self, z, training=False):
        return self(z, training=training, inferred=True)

    def call(self, z, training=False, inferred=False):
        # LiteRT has a gradient of reshape, and none of z[:, tf.newaxis, tf.newaxis]
        h = z if self.is_map else tf.reshape(z, [-1, *self._places(), *self.latent_shape])
        *hidden, last = self.stack
        for number, layer in enumerate(hidden):
            h = layer(h)
            if self.norms:
                norm, kind = self.norms[number], self.normalization
                h = normalized(norm, kind, h, training=training, inferred=inferred)
            h = portability.relu(h)
        # images are float32, whatever the layers compute in
        return tf.tanh(tf.cast(last(h), tf.float32))

    def _places(self) -> list[int]:
        """Returns the sides that a vector of latents has as a map: a map of one place."""
        return [] if self.is_map else [1] * (len(self.image_shape) - 1)


@keras.saving.register_keras_serializable("tfgen")
class Inference(InferenceNet):
    """An inference net of convolutions, leaky ReLUs, and a head each for mean and log-variance.

    Called on images [b, h, w, c] it returns the mean and the log-variance of the Gaussian q(z|x),
    float32 [b, *latent_shape] each.

    Args:
        convs: from the image up.
        heads: two convolutions over the last maps, for the mean and the log-variance.
        image_shape: height, width, channels; before these, frames of clips.
        latent_map: whether the heads' maps are the latents as they are; a vector otherwise.
        batch_norm: whether responses are normalized over the batch, but the first layer's and the
            heads'.
        kwargs: Keras's own: name, dtype, trainable.
    """

    def __init__(
        self,
        convs: Sequence[Conv],
        heads: tuple[Conv, Conv],
        image_shape: Size,
        latent_map: bool = False,
        batch_norm: bool = False,
        **kwargs,
    ):
        # the latents' shape follows from the layers, before Keras lets them be attributes
        maps = _map_shapes(convs, image_shape)[-1]
        *places, latents = heads[0].compute_output_shape(maps)[1:]
        latent_shape = (*places, latents) if latent_map else (math.prod((*places, latents)),)
        lengths = latent_map and heads[0].time is not None
        sizes = latent_map and not lengths
        super().__init__(latent_shape, image_shape, sizes, any_length=lengths, **kwargs)
        self.convs = numbered(convs, "conv")
        self.mean, self.log_var = heads
        self.mean.name, self.log_var.name = "mean", "log_var"
        count = len(self.convs) - 1 if batch_norm else 0
        self.norms = batch_normalizations(count, self.dtype_policy, start=2)
        self.latent_map = latent_map
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {
            "convs": [conv.get_config() for conv in self.convs],
            "heads": [head.get_config() for head in (self.mean, self.log_var)],
            "latent_map": self.latent_map,
            "batch_norm": bool(self.norms),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        convs = [Conv.from_config(conv) for conv in config.pop("convs")]
        mean, log_var = (Conv.from_config(head) for head in config.pop("heads"))
        return cls(convs, (mean, log_var), **config)

    def build(self, input_shape):
        shapes = _map_shapes(self.convs, self.image_shape)
        for number, conv in enumerate(self.convs):
            conv.build(shapes[number])
            if self.norms and number:
                self.norms[number - 1].build(shapes[number + 1])
        self.mean.build(shapes[-1])
        self.log_var.build(shapes[-1])

    @classmethod
    def from_table(
        cls,
        rows: Sequence[Row],
        head: Row | None,
        latent_dim: int,
        image_shape: Size,
        *,
        width: float,
        batch_norm: bool,
    ) -> "Inference":
        """Makes an inference net from a table.

        Args:
            rows: the table below the heads, from the image up.
            head: of the mean and of the log-variance, which make a map of latents; None for heads
                over the whole last map, which make a vector.
            latent_dim: numbers in z, or in each place of its map.
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            batch_norm: see the class.
        """
        convs, shape = convs_of_table(rows, image_shape, width=width, initializer_scale=0.02)
        row = (head or Row(0, WHOLE))._replace(filters=_at_least_one(latent_dim))
        sizes = row.over(shape[1:-1])
        heads = (Conv(*sizes, initializer_scale=0.02), Conv(*sizes, initializer_scale=0.02))
        if min(heads[0].compute_output_shape(shape)[1:-1]) < 1:
            raise too_small(image_shape)
        return cls(convs, heads, image_shape, head is not None, batch_norm)

    def call(self, x, training=False):
        h = x
        for number, conv in enumerate(self.convs):
            r = conv(h, training=training)
            if self.norms and number:
                r = self.norms[number - 1](r, training=training)
            h = leaky_relu(r)
        mean, log_var = (head(h, training=training) for head in (self.mean, self.log_var))
        return self._shaped(mean), self._shaped(log_var)

    def _shaped(self, head: tf.Tensor) -> tf.Tensor:
        head = tf.cast(head, tf.float32)
        return head if self.latent_map else flat(head)


def _at_least_one(latent_dim: int) -> int:
    if latent_dim < 1:
        raise UserError(f"latent_dim: expected at least 1 and found {latent_dim}")
    return latent_dim


def _map_shapes(convs: Sequence[Conv], image_shape: Size) -> list[tuple]:
    """Returns the shape of images and of each layer's maps above them, the batch first."""
    shapes: list[tuple] = [(None, *image_shape)]
    for conv in convs:
        shapes.append(conv.compute_output_shape(shapes[-1]))
    return shapes
