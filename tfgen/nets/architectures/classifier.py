"""The net of a classifier of images: convolutions, an average, a linear head."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.nets.architectures.roles import ClassifierNet, Size
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import batch_normalizations
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class ConvNetClassifier(ClassifierNet):
    """Convolutions with batch normalization and ReLU, an average over places, a linear head.

    Called on images [b, h, w, c] it returns logits [b, outputs], float32.

    Args:
        convs: from the image up.
        outputs: number of classes.
        image_shape: height, width, channels.
        kwargs: Keras's own: name, dtype, trainable.
    """

    def __init__(self, convs: Sequence[Conv], outputs: int, image_shape: Size, **kwargs):
        super().__init__(image_shape, outputs, any_size=True, **kwargs)
        self.convs = numbered(convs, "conv")
        self.norms = batch_normalizations(len(self.convs), self.dtype_policy)
        self.dense = keras.layers.Dense(outputs, dtype="float32", name="head")
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {
            "convs": [conv.get_config() for conv in self.convs],
            "outputs": self.num_outputs,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return cls([Conv.from_config(conv) for conv in config.pop("convs")], **config)

    def build(self, input_shape):
        shape = input_shape
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
            norm.build(shape)
        self.dense.build((None, shape[-1]))

    def call(self, x, training=False):
        return self.head(self.features(x, training))

    def features(self, x: Image, training: bool = False) -> tf.Tensor:
        """Returns what the head is linear in.

        Args:
            x: [b, h, w, c].
            training: whether batches are normalized by their own moments.

        Returns:
            The last maps, averaged over places, [b, d], float32, not negative.
        """
        h = x
        for conv, norm in zip(self.convs, self.norms, strict=True):
            h = portability.relu(norm(conv(h, training=training), training=training))
        return tf.reduce_mean(tf.cast(h, tf.float32), axis=[1, 2])

    def head(self, feature: tf.Tensor) -> tf.Tensor:
        return self.dense(feature)
