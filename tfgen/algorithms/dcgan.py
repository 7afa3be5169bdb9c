"""Generative adversarial networks with convolutional nets.

Papers: Goodfellow et al., Generative adversarial nets, 2014; Radford, Metz and Chintala, Unsupervised representation
learning with DCGANs, 2016.
"""

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.models import LatentTasks
from tfgen.training.algorithm import LatentAlgorithm
from tfgen.types import Batch, Endpoint, Seed


class DCGAN(LatentAlgorithm):
    """Learns a generator against a discriminator, each by a step of its own an update.

    Args:
        discriminator: images to log-odds of being an image, not a sample.
        generator: g, latents to images.
        image_shape: height, width, channels.
        seed: of all that training draws.
    """

    def __init__(
        self,
        discriminator: keras.Model,
        generator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
    ):
        logged = ["cross_entropy", "generator_loss", "log_odds_data", "log_odds_samples"]
        logged += ["discriminator_grad_norm", "generator_grad_norm"]
        super().__init__(logged, generator, image_shape, 0, seed, 1)
        self.discriminator = discriminator

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        z = random.normal((batch["image"].shape[0], *self.generator.latent_shape), seed)
        with tf.GradientTape() as generating:
            x = self.generator(z, training=True)
        with tf.GradientTape() as discriminating:
            # images and samples are normalized apart
            data = self.discriminator(batch["image"], training=True)
            samples = self.discriminator(tf.stop_gradient(x), training=True)
            cross_entropy = losses.logistic(data, samples)
        norms = self.descend_together(["discriminator"], discriminating, cross_entropy)
        with generating:
            loss = tf.reduce_mean(
                tf.nn.softplus(-self.discriminator(x, training=True))
            )  # -log D(g(z))
        norms |= self.descend_together(["generator"], generating, loss)
        return {
            "cross_entropy": cross_entropy,
            "generator_loss": loss,
            "log_odds_data": tf.reduce_mean(data),
            "log_odds_samples": tf.reduce_mean(samples),
        } | norms

    @property
    def tasks(self) -> LatentTasks:
        """What the generator is used for."""
        return LatentTasks(self.generator, self.image_shape)

    def endpoints(self) -> dict[str, Endpoint]:
        image = tf.TensorSpec((None, *self.image_shape), tf.float32, "image")
        features = Endpoint(lambda image: {"features": self.discriminator.features(image)}, [image])
        return super().endpoints() | {"features": features}
