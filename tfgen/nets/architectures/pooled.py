"""A critic of images by convolutions, layer normalization and average pooling."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from tfgen import portability
from tfgen.errors import UserError
from tfgen.nets.architectures.activations import silu
from tfgen.nets.architectures.roles import DiscriminatorNet, Size
from tfgen.nets.convolution.adjoint import flat
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import MapNormalization
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class PooledDiscriminator(DiscriminatorNet):
    """A discriminator of 3x3 convolutions, swish, and average pooling by 2 between them.

    Layer normalization, over all of an image's own map, follows each convolution but the first: the
    net is the same function in training and in inference. The head is linear in the last map.
    Weights start as He's.

    Called on images [b, h, w, c] it returns scores [b], float32, high for images.

    Args:
        filters: of each convolution, from the image up. Pooling follows each but the last.
        image_shape: height, width, channels.
        kwargs: Keras's own: name, dtype, trainable.

    Raises:
        UserError: if the images cannot be halved so often.

    Source: Lee, Xu, Fan and Tu, Wasserstein introspective neural networks, 2018.
    """

    def __init__(self, filters: Sequence[int], image_shape: Size, **kwargs):
        super().__init__(image_shape, **kwargs)
        self.filters = [int(count) for count in filters]
        factor = 2 ** (len(self.filters) - 1)
        height, width, _ = self.image_shape
        if height % factor or width % factor:
            raise UserError(
                f"image_size: expected sides that {factor} divides for this net and found "
                f"{height}x{width}"
            )
        dtype = self.dtype_policy
        he = {"initializer_scale": None, "dtype": dtype}  # None: He's scale
        self.convs, self.norms = [], []
        for number, count in enumerate(self.filters, start=1):
            self.convs.append(Conv(count, 3, 1, 1, name=f"conv_{number}", **he))
            if number > 1:
                self.norms.append(MapNormalization(1, name=f"norm_{number}", dtype=dtype))
        # without a bias, which the difference of two scores does not depend on
        over = (height // factor, width // factor)
        self.head = Conv(1, over, use_bias=False, name="head", **he)
        self.build((None, *self.image_shape))

    def get_config(self):
        return super().get_config() | {"filters": self.filters}

    @property
    def has_features(self) -> bool:
        return True

    def build(self, input_shape):
        _, height, width, channels = input_shape
        for number, conv in enumerate(self.convs):
            conv.build((None, height, width, channels))
            channels = conv.filters
            if number:
                self.norms[number - 1].build((None, height, width, channels))
            if number < len(self.convs) - 1:
                height, width = height // 2, width // 2
        self.head.build((None, height, width, channels))

    def call(self, x, training=False):
        score = self.head(self.maps(x, training)[-1], training=training)
        return tf.reshape(tf.cast(score, tf.float32), [-1])

    def maps(self, x: Image, training: bool = False) -> list[tf.Tensor]:
        """Returns the responses of each layer, from the image up, before they are pooled.

        Args:
            x: [b, h, w, c].
            training: see `call`; the responses are the same.
        """
        found: list[tf.Tensor] = []
        for conv, norm in zip(self.convs, [None, *self.norms], strict=True):
            r = conv(portability.halved(found[-1]) if found else x, training=training)
            found.append(silu(r if norm is None else norm(r)))
        return found

    def features(self, x: Image) -> tf.Tensor:
        """Returns the last three layers' responses as vectors, float32 [b, d].

        Source: INNg, section 4.5.
        """
        last = self.maps(x)[-3:]
        return tf.concat([flat(tf.cast(h, tf.float32)) for h in last], axis=1)
