"""The net that tells images from samples.

It is DCGAN's discriminator and the classifier of introspective networks.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen.nets.architectures.activations import leaky_relu
from tfgen.nets.architectures.roles import DiscriminatorNet, Size
from tfgen.nets.convolution.adjoint import flat
from tfgen.nets.convolution.filters import numbered
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import batch_normalizations
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class Discriminator(DiscriminatorNet):
    """A discriminator of convolutions, leaky ReLUs and a linear head over the last map.

    Batch normalization follows each convolution but the first, unless it is left out.

    Called on images [b, h, w, c] it returns log-odds [b], float32: ln q(+1|x) - ln q(-1|x).

    Args:
        convs: from the image up.
        head: a convolution with one filter and a bias over the last convolution's whole map.
        image_shape: height, width, channels.
        batch_norm: whether responses are normalized over the batch, but the first layer's.
        kwargs: Keras's own: name, dtype, trainable.

    Source: Radford, Metz and Chintala, Unsupervised representation learning with DCGANs, 2016;
    INNg, section 4.
    """

    def __init__(
        self,
        convs: Sequence[Conv],
        head: Conv,
        image_shape: Size,
        batch_norm: bool = True,
        **kwargs,
    ):
        super().__init__(image_shape, **kwargs)
        self.convs = numbered(convs, "conv")
        self.batch_norm = batch_norm
        count = len(self.convs) - 1 if batch_norm else 0
        self.norms = batch_normalizations(count, self.dtype_policy, start=2)
        self.head = head
        self.head.name = "head"
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {
            "convs": [conv.get_config() for conv in self.convs],
            "head": self.head.get_config(),
            "batch_norm": self.batch_norm,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        convs = [Conv.from_config(conv) for conv in config.pop("convs")]
        return cls(convs, Conv.from_config(config.pop("head")), **config)

    @property
    def has_features(self) -> bool:
        return True

    def build(self, input_shape):
        shape = input_shape
        for conv, norm in self._normalized():
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
            if norm is not None:
                norm.build(shape)
        self.head.build(shape)

    def call(self, x, training=False):
        odds = self.head(self.maps(x, training)[-1], training=training)
        return tf.reshape(tf.cast(odds, tf.float32), [-1])

    def maps(self, x: Image, training: bool = False) -> list[tf.Tensor]:
        """Returns the responses of each layer, from the image up, [b, h', w', filters] each.

        Args:
            x: [b, h, w, c].
            training: whether batches are normalized by their own moments.
        """
        found: list[tf.Tensor] = []
        for conv, norm in self._normalized():
            r = conv(found[-1] if found else x, training=training)
            r = r if norm is None else norm(r, training=training)
            found.append(leaky_relu(r))
        return found

    def _normalized(self) -> list[tuple[Conv, keras.layers.Layer | None]]:
        """Returns each convolution with the normalization after it; the first has none."""
        norms = [None, *self.norms] if self.batch_norm else [None] * len(self.convs)
        return list(zip(self.convs, norms, strict=True))

    def features(self, x: Image) -> tf.Tensor:
        """Returns the last three layers' responses in inference mode, as vectors, float32 [b, d].

        Source: INNg, section 4.5.
        """
        last = self.maps(x, training=False)[-3:]
        return tf.concat([flat(tf.cast(h, tf.float32)) for h in last], axis=1)
