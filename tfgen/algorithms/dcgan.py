"""Generative adversarial networks with convolutional nets.

Papers: Goodfellow et al., Generative adversarial nets, 2014; Radford, Metz and Chintala,
Unsupervised representation learning with DCGANs, 2016.
"""

import keras
import tensorflow as tf

from tfgen import losses
from tfgen.models import AdversarialModel
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed


class DCGAN(LatentAlgorithm):
    """Learns a generator against a discriminator, each by a step of its own an update.

    Args:
        discriminator: images to log-odds of being an image, not a sample.
        generator: g, latents to images.
        image_shape: height, width, channels.
        seed: of all that training draws.
    """

    model: AdversarialModel

    def __init__(
        self,
        discriminator: keras.Model,
        generator: keras.Model,
        *,
        image_shape: tuple[int, ...],
        seed: int = 0,
    ):
        model = AdversarialModel(discriminator, generator, image_shape=image_shape)
        logged = ["cross_entropy", "generator_loss", "log_odds_data", "log_odds_samples"]
        logged += grad_norms("discriminator", "generator")
        super().__init__(model, logged=logged, num_incomplete=0, seed=seed)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        generator, discriminator = self.model.generator, self.model.discriminator
        z = prior_draws(self.model, batch, seed)
        with tf.GradientTape() as generating:
            x = generator(z, training=True)
        with tf.GradientTape() as discriminating:
            # two batches, not one: batch normalization would otherwise mix images and samples
            data = discriminator(batch["image"], training=True)
            samples = discriminator(tf.stop_gradient(x), training=True)
            cross_entropy = losses.logistic(data, samples)
        norms = self.minimize_together(["discriminator"], discriminating, cross_entropy)
        # -log D(g(z)), in place of log(1 - D(g(z))), which is flat where samples are recognized.
        # The first tape goes on recording, so that g(z) is computed once.
        with generating:
            loss = tf.reduce_mean(tf.nn.softplus(-discriminator(x, training=True)))
        norms |= self.minimize_together(["generator"], generating, loss)
        return norms | {
            "cross_entropy": cross_entropy,
            "generator_loss": loss,
            "log_odds_data": tf.reduce_mean(data),
            "log_odds_samples": tf.reduce_mean(samples),
        }
