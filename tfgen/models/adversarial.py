"""A generator and the discriminator that it was trained against."""

import keras
import tensorflow as tf

from tfgen.models.endpoints import task
from tfgen.models.latent import LatentModel
from tfgen.nets.architectures import adapters
from tfgen.types import Image


@keras.saving.register_keras_serializable("tfgen")
class AdversarialModel(LatentModel):
    """A generator, and a discriminator whose layers are features of images.

    Args:
        discriminator: images to log-odds of being an image, not a sample.
        generator: g, latents to images.
        settings: see `LatentModel`.
    """

    def __init__(self, discriminator: keras.Model, generator: keras.Model, **settings):
        super().__init__(generator, **settings)
        self.discriminator = adapters.as_discriminator(discriminator, self.image_shape)
        # the base class knows the generator only; the order is that of the constructor's roles
        self.nets = {"discriminator": self.discriminator, **self.nets}

    def unable(self) -> set[str]:
        return super().unable() | (set() if self.discriminator.has_features else {"features"})

    @task("features")
    def features(self, image: Image) -> tf.Tensor:
        """Computes the responses of the discriminator's last three layers, [b, d]."""
        return self.discriminator.features(image)
