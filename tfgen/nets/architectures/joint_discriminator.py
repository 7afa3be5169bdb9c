"""The net that tells pairs of an image and its latents from pairs of latents and their sample."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen.nets.architectures.activations import leaky_relu
from tfgen.nets.architectures.roles import JointDiscriminatorNet, Size
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.layers import Conv


@keras.saving.register_keras_serializable("tfgen")
class JointDiscriminator(JointDiscriminatorNet):
    """A branch of convolutions for images, a layer for latents, and layers over both.

    A leaky ReLU follows each layer but the head. Latents are read as one vector.

    Args:
        convs: of the image, from the image up; the last covers the whole of its map.
        latent: a 1x1 convolution over the vector of latents.
        joint: a 1x1 convolution over the responses of both branches.
        head: a 1x1 convolution with one filter and a bias.
        latent_shape: of the latents of one image.
        image_shape: height, width, channels.
        kwargs: Keras's own: name, dtype, trainable.

    Source: Dumoulin et al., Adversarially learned inference, 2017; here without its dropout.
    """

    def __init__(
        self,
        convs: Sequence[Conv],
        latent: Conv,
        joint: Conv,
        head: Conv,
        latent_shape: tuple[int, ...],
        image_shape: Size,
        **kwargs,
    ):
        super().__init__(latent_shape, image_shape, **kwargs)
        self.convs = numbered(convs, "conv")
        self.latent, self.joint, self.head = latent, joint, head
        self.latent.name, self.joint.name, self.head.name = "latent", "joint", "head"
        self.build(None)

    def get_config(self):
        return super().get_config() | {
            "convs": [conv.get_config() for conv in self.convs],
            "latent": self.latent.get_config(),
            "joint": self.joint.get_config(),
            "head": self.head.get_config(),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        convs = [Conv.from_config(conv) for conv in config.pop("convs")]
        others = {name: Conv.from_config(config.pop(name)) for name in ("latent", "joint", "head")}
        return cls(convs, **others, **config)

    def build(self, input_shape):
        shape: tuple = (None, *self.image_shape)
        for conv in self.convs:
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
        self.latent.build((None, 1, 1, self.latent_size))
        self.joint.build((None, 1, 1, self.convs[-1].filters + self.latent.filters))
        self.head.build((None, 1, 1, self.joint.filters))

    def call(self, pair, training=False):
        x, z = pair
        for conv in self.convs:
            x = leaky_relu(conv(x, training=training))
        z = tf.reshape(z, [-1, 1, 1, self.latent_size])
        z = leaky_relu(self.latent(z, training=training))
        both = self.joint(tf.concat([x, z], axis=-1), training=training)
        odds = self.head(leaky_relu(both), training=training)
        return tf.reshape(tf.cast(odds, tf.float32), [-1])
