"""The two nets between images and latent vectors: what generators and inference nets are built of."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.architectures.scoring import LEAK
from tfgen.nets.architectures.tables import WHOLE, Row, convs_of_table
from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.layers import Conv, ConvTranspose, batch_normalization


class Generator(keras.Model):
    """Latent vectors, or maps of them, to images: transposed convolutions, ReLU between them, tanh at the end.

    Called on latents [b, *latent_shape] it returns images [b, h, w, c] in [-1, 1], float32.

    Args:
        layers: from the latents up; the last one's filters are the image's channels.
        latent_shape: (d,), or height, width, d of a map.
        image_shape: height, width, channels.
        batch_norm: whether responses are normalized over the batch, but the last layer's.

    Raises:
        UserError: if the layers do not lead from the latents to the images.

    Attributes:
        latent_shape: of one example.
        any_size: whether a larger map of latents gives a larger image.
    """

    def __init__(
        self,
        layers: Sequence[ConvTranspose],
        latent_shape: tuple[int, ...],
        image_shape: tuple[int, int, int],
        batch_norm: bool = True,
    ):
        super().__init__()
        self.stack = list(layers)
        self.norms = [batch_normalization() for _ in self.stack[:-1]] if batch_norm else []
        self.latent_shape = (*latent_shape[:-1], _at_least_one(latent_shape[-1]))
        self.any_size = len(self.latent_shape) == 3
        shape = (None, *(self.latent_shape if self.any_size else (1, 1, *self.latent_shape)))
        for number, layer in enumerate(self.stack):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
            if self.norms and number < len(self.norms):
                self.norms[number].build(shape)
        if shape[1:] != tuple(image_shape):
            raise UserError(
                f"image_size: expected images of the size that the generator makes, {'x'.join(map(str, shape[1:]))}, "
                f"and found {'x'.join(map(str, image_shape))}"
            )
        self.built = True

    @classmethod
    def from_table(
        cls,
        rows: Sequence[Row],
        latent_shape: tuple[int, ...],
        image_shape: tuple[int, int, int],
        *,
        width: float,
        batch_norm: bool,
    ) -> "Generator":
        """A generator with layers as a table has them; the last row's filters are channels, not scaled.

        Args:
            rows: the table, from the latents up.
            latent_shape: see the class.
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            batch_norm: see the class.
        """
        sized, map_size = [], image_shape[:2]
        for row in reversed(
            rows
        ):  # a row over the whole map makes what those above it enlarge to the image
            sized.insert(0, row.over(map_size))
            map_size = tuple(side // row.strides for side in map_size)
        *hidden, last = sized
        layers = [ConvTranspose(*row.scaled(width), use_bias=not batch_norm) for row in hidden]
        return cls([*layers, ConvTranspose(*last)], latent_shape, image_shape, batch_norm)

    def call(self, z, training=False):
        h = z if self.any_size else z[:, tf.newaxis, tf.newaxis, :]
        *hidden, last = self.stack
        for number, layer in enumerate(hidden):
            h = layer(h)
            h = tf.nn.relu(self.norms[number](h, training=training) if self.norms else h)
        return tf.tanh(tf.cast(last(h), tf.float32))


class Inference(keras.Model):
    """Images to the Gaussian q(z|x): convolutions, leaky ReLU between them, and a head each for mean and log-variance.

    Called on images [b, h, w, c] it returns the mean and the log-variance, [b, *latent_shape] each, float32.

    Args:
        convs: from the image up.
        heads: two convolutions over the last maps, for the mean and the log-variance.
        image_shape: height, width, channels.
        latent_map: whether the heads' maps are a map of latents, as they are; a vector otherwise.
        batch_norm: whether responses are normalized over the batch, but the first layer's and the heads'.
    """

    def __init__(
        self,
        convs: Sequence[Conv],
        heads: tuple[Conv, Conv],
        image_shape: tuple[int, int, int],
        latent_map: bool = False,
        batch_norm: bool = False,
    ):
        super().__init__()
        self.convs = list(convs)
        self.mean, self.log_var = heads
        self.norms = [batch_normalization() for _ in self.convs[1:]] if batch_norm else []
        self.latent_map = latent_map
        shape = (None, *image_shape)
        for number, conv in enumerate(self.convs):
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
            if self.norms and number:
                self.norms[number - 1].build(shape)
        for head in heads:
            head.build(shape)
        self.built = True

    @classmethod
    def from_table(
        cls,
        rows: Sequence[Row],
        head: Row | None,
        latent_dim: int,
        image_shape: tuple[int, int, int],
        *,
        width: float,
        batch_norm: bool,
    ) -> "Inference":
        """An inference net with layers as a table has them.

        Args:
            rows: the table below the heads, from the image up.
            head: of the mean and of the log-variance, which make a map of latents; None for heads over the whole
                last map, which make a vector.
            latent_dim: numbers in z, or in each place of its map.
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            batch_norm: see the class.
        """
        options = {"initializer_scale": 0.02}
        convs, shape = convs_of_table(rows, image_shape, width=width, **options)
        row = (
            (head or Row(latent_dim, WHOLE))
            .over(shape[1:3])
            ._replace(filters=_at_least_one(latent_dim))
        )
        heads = tuple(Conv(*row, **options) for _ in range(2))
        if min(heads[0].compute_output_shape(shape)[1:3]) < 1:
            raise UserError(
                f"image_size: expected larger images for this net and found {image_shape[:2]}"
            )
        return cls(convs, heads, image_shape, head is not None, batch_norm)

    def call(self, x, training=False):
        h = x
        for number, conv in enumerate(self.convs):
            r = conv(h, training=training)
            if self.norms and number:
                r = self.norms[number - 1](r, training=training)
            h = implementations.leaky_relu(r, LEAK)
        return self._shaped(self.mean(h)), self._shaped(self.log_var(h))

    def _shaped(self, head: tf.Tensor) -> tf.Tensor:
        head = tf.cast(head, tf.float32)
        return head if self.latent_map else tf.reshape(head, [-1, math.prod(head.shape[1:])])


def _at_least_one(latent_dim: int) -> int:
    if latent_dim < 1:
        raise UserError(f"latent_dim: expected at least 1 and found {latent_dim}")
    return latent_dim
