"""The divergence triangle's nets of levels of resolution, which grow while they are trained."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.nets.architectures.activations import leaky_relu
from tfgen.nets.architectures.levels import (
    Descent,
    Progressive,
    add_fade,
    check_levels,
    level_sides,
    mixed,
)
from tfgen.nets.architectures.roles import EnergyNet, GeneratorNet, InferenceNet, Size
from tfgen.nets.convolution.adjoint import flat
from tfgen.nets.convolution.layers import Conv, ConvTranspose
from tfgen.nets.convolution.normalization import normalizations, normalized


@keras.saving.register_keras_serializable("tfgen")
class ProgressiveEnergy(Progressive, EnergyNet):
    """An energy of images whose resolution grows.

    Called on images [b, h, w, c] it returns energies, float32: [b], or [b, outputs] where there are
    several.

    Args:
        filters: of each level, from the smallest.
        image_shape: height, width, channels.
        outputs: energies of an image, one a class.
        depth: levels in use; None: all.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the images have another number of levels.

    Source: Karras et al., Progressive growing of GANs, 2018, without minibatch statistics.
    """

    def __init__(
        self,
        filters: Sequence[int],
        image_shape: Size,
        outputs: int = 1,
        depth: int | None = None,
        **kwargs,
    ):
        super().__init__(image_shape, num_outputs=outputs, **kwargs)
        self.filters = [int(count) for count in filters]
        self.depth = depth or len(self.filters)
        dtype = self.dtype_policy
        self.descent = Descent(self.filters, self.image_shape, name="descent", dtype=dtype)
        # without a bias, since a constant would not change the density
        options = {"initializer_scale": 0.02, "dtype": dtype}
        over = self.descent.sides[0]
        self.top = Conv(outputs, over, use_bias=False, name="top", **options)
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {"outputs": self.num_outputs}

    def build(self, input_shape):
        self.fade = add_fade(self)
        self.descent.build(input_shape)
        self.top.build((None, *self.descent.sides[0], self.filters[0]))

    def call(self, x, training=False):
        h = self.descent(x, depth=self.depth, fade=self.fade, training=training)
        u = tf.cast(self.top(h, training=training), tf.float32)
        return tf.reshape(u, [-1, self.num_outputs] if self.num_outputs > 1 else [-1])


@keras.saving.register_keras_serializable("tfgen")
class ProgressiveInference(Progressive, InferenceNet):
    """An inference net of images whose resolution grows.

    Called on images [b, h, w, c] it returns the mean and the log-variance of the Gaussian q(z|x),
    float32 [b, latent_dim] each.

    Args:
        filters: of each level, from the smallest.
        latent_dim: numbers in z.
        image_shape: height, width, channels.
        depth: levels in use; None: all.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the images have another number of levels.
    """

    def __init__(
        self,
        filters: Sequence[int],
        latent_dim: int,
        image_shape: Size,
        depth: int | None = None,
        **kwargs,
    ):
        super().__init__((latent_dim,), image_shape, **kwargs)
        self.filters = [int(count) for count in filters]
        self.depth = depth or len(self.filters)
        dtype = self.dtype_policy
        self.descent = Descent(self.filters, self.image_shape, name="descent", dtype=dtype)
        options = {"initializer_scale": 0.02, "dtype": dtype}
        over = self.descent.sides[0]
        self.mean = Conv(latent_dim, over, name="mean", **options)
        self.log_var = Conv(latent_dim, over, name="log_var", **options)
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {"latent_dim": self.latent_shape[0]}

    def build(self, input_shape):
        self.fade = add_fade(self)
        self.descent.build(input_shape)
        for head in (self.mean, self.log_var):
            head.build((None, *self.descent.sides[0], self.filters[0]))

    def call(self, x, training=False):
        h = self.descent(x, depth=self.depth, fade=self.fade, training=training)
        heads = (head(h, training=training) for head in (self.mean, self.log_var))
        mean, log_var = (flat(tf.cast(head, tf.float32)) for head in heads)
        return mean, log_var


@keras.saving.register_keras_serializable("tfgen")
class ProgressiveGenerator(Progressive, GeneratorNet):
    """A generator of images whose resolution grows.

    Called on latents [b, latent_dim] it returns images [b, h, w, c] in [-1, 1], float32.

    Args:
        filters: of each level, from the smallest.
        latent_dim: numbers in z.
        image_shape: height, width, channels.
        normalization: of responses but the last layer's; see `NORMALIZATIONS`.
        depth: levels in use; None: all.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the images have another number of levels.

    Source: Karras et al., Progressive growing of GANs, 2018. Deviation: another normalization than
        that of each pixel's feature vector, and no rates equalized by He's constant.
    """

    def __init__(
        self,
        filters: Sequence[int],
        latent_dim: int,
        image_shape: Size,
        normalization: str = "batch",
        depth: int | None = None,
        **kwargs,
    ):
        super().__init__((latent_dim,), image_shape, **kwargs)
        self.filters = [int(count) for count in filters]
        check_levels(self.filters, self.image_shape)
        self.sides = level_sides(self.image_shape)
        self.depth = depth or len(self.filters)
        self.normalization = normalization
        options = {"use_bias": normalization == "none", "dtype": self.dtype_policy}
        first = ConvTranspose(self.filters[0], self.sides[0], name="first", **options)
        options["initializer_scale"] = None
        self.lower: list[keras.layers.Layer] = [first]
        self.upper = [Conv(self.filters[0], 3, 1, 1, name="upper_1", **options)]
        for number, count in enumerate(self.filters[1:], start=2):
            self.lower.append(Conv(count, 3, 1, 1, name=f"lower_{number}", **options))
            self.upper.append(Conv(count, 3, 1, 1, name=f"upper_{number}", **options))
        self.norms = normalizations(normalization, 2 * len(self.filters), self.dtype_policy)
        channels = self.image_shape[-1]
        last = {"initializer_scale": 0.02, "dtype": self.dtype_policy}
        self.to_image = [
            Conv(channels, 1, name=f"to_image_{number}", **last)
            for number in range(1, len(self.filters) + 1)
        ]
        self.build((None, *self.latent_shape))

    def get_config(self):
        own = {"latent_dim": self.latent_shape[0], "normalization": self.normalization}
        found = super().get_config() | own
        del found["latent_shape"]
        return found

    def build(self, input_shape):
        self.fade = add_fade(self)
        shape: tuple = (None, 1, 1, *self.latent_shape)
        for level, sides in enumerate(self.sides):
            for layer in (self.lower[level], self.upper[level]):
                layer.build(shape)
                shape = (None, *sides, layer.filters)
            for norm in self.norms[2 * level : 2 * level + 2]:
                norm.build(shape)
            self.to_image[level].build(shape)
            shape = (None, *(2 * side for side in sides), layer.filters)

    def of_inferred(self, z, training=False):
        return self(z, training=training, inferred=True)

    def call(self, z, training=False, inferred=False):
        def response(number, layer, h):
            h = layer(h)
            if self.norms:
                norm, kind = self.norms[number], self.normalization
                h = normalized(norm, kind, h, training=training, inferred=inferred)
            return leaky_relu(h)

        h = tf.reshape(z, [-1, 1, 1, *self.latent_shape])
        for level in range(self.depth):
            below = portability.doubled(h) if level else h
            h = response(2 * level, self.lower[level], below)
            h = response(2 * level + 1, self.upper[level], h)
        image = self.to_image[self.depth - 1](h)
        if self.depth > 1:
            # a 1x1 convolution and a repetition of pixels can change places
            image = mixed(self.fade, image, self.to_image[self.depth - 2](below))
        # images are float32, whatever the layers compute in
        image = tf.tanh(tf.cast(image, tf.float32))
        for _ in range(len(self.sides) - self.depth):
            image = portability.doubled(image)
        return image
