"""A generator and the discriminator that it was trained against: of images, or of pairs."""

import keras
import tensorflow as tf

from tfgen.models.endpoints import task
from tfgen.models.latent import LatentModel
from tfgen.models.posterior import check_latents
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


@keras.saving.register_keras_serializable("tfgen")
class JointAdversarialModel(LatentModel):
    """A generator, an inference net, and the discriminator of pairs that both were trained against.

    Args:
        joint_discriminator: images and latents to log-odds of being an image and what is inferred.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        settings: see `LatentModel`.

    Raises:
        UserError: if the nets' latents differ.
    """

    def __init__(
        self,
        joint_discriminator: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        **settings,
    ):
        super().__init__(generator, inference, **settings)
        self.joint_discriminator = adapters.as_joint_discriminator(
            joint_discriminator, self.image_shape, self.generator.latent_shape
        )
        check_latents(self.generator, self.joint_discriminator, "joint_discriminator")
        # the base class knows two of the nets; the order is that of the constructor's roles
        self.nets = {"joint_discriminator": self.joint_discriminator, **self.nets}
