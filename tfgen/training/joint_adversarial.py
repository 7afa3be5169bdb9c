"""The base of algorithms that match two joint distributions of images and latents."""

import abc
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.models import JointAdversarialModel, reparameterized
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Image, Seed

ROLES = ("joint_discriminator", "generator", "inference")
LOGGED = (
    "cross_entropy",
    "generator_loss",
    "log_odds_data",
    "log_odds_samples",
    "reconstruction_error",
    *grad_norms(*ROLES),
)
"""What all of them log, beside their own terms."""


class JointAdversarial(LatentAlgorithm):
    """Learns a generator and an inference net against a discriminator of pairs (x, z).

    A subclass writes `beside`, what generator and inference net descend beside the discriminator's
    loss with its labels exchanged.

    Args:
        joint_discriminator: images and latents to log-odds of being an image and what is inferred.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        logged: the names of the numbers that `update` returns.
        seed: of all that training draws.
        settings: of the model, see `LatentModel`.

    Raises:
        UserError: if the nets' latents differ, or a setting is out of its range.

    Source: Dumoulin et al., Adversarially learned inference, 2017, Algorithm 1.
    """

    model: JointAdversarialModel

    def __init__(
        self,
        joint_discriminator: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        logged: Sequence[str],
        seed: int,
        **settings: Any,
    ):
        model = JointAdversarialModel(joint_discriminator, generator, inference, **settings)
        super().__init__(model, logged=logged, num_incomplete=0, seed=seed)

    @abc.abstractmethod
    def beside(self, x: Image, decoded: Image) -> dict[str, tf.Tensor]:
        """Returns further terms of the objective of generator and inference net, by logged name.

        Args:
            x: images, [b, h, w, c].
            decoded: what the generator makes of the latents inferred from them.
        """

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, posterior_seed = random.split(seed)
        discriminator, generator, inference = (self.nets[role] for role in ROLES)
        x, z = batch["image"], prior_draws(self.model, batch, prior_seed)
        with tf.GradientTape(persistent=True) as tape:
            mean, log_var = inference(x, training=True)
            inferred = reparameterized(mean, log_var, posterior_seed)
            odds_q = discriminator((x, inferred), training=True)
            odds_p = discriminator((generator(z, training=True), z), training=True)
            decoded = generator.of_inferred(inferred, training=True)
            cross_entropy = losses.logistic(odds_q, odds_p)
            # as is usual, -log of the other's probability in place of log(1 - it), which is flat
            # where pairs are told apart
            loss = losses.logistic(odds_p, odds_q)
            terms = self.beside(x, decoded)
            objective = tf.add_n([loss, *terms.values()])

        # Algorithm 1 takes both gradients before any step
        gradients = tape.gradient(cross_entropy, self.trainable_tensors("joint_discriminator"))
        norms = self.minimize_together(["generator", "inference"], tape, objective)
        applied = self.apply_gradients("joint_discriminator", gradients)
        logs = {
            "cross_entropy": cross_entropy,
            "generator_loss": loss,
            "log_odds_data": tf.reduce_mean(odds_q),
            "log_odds_samples": tf.reduce_mean(odds_p),
            "reconstruction_error": losses.mean_squared_error(x, decoded),
            "joint_discriminator_grad_norm": tf.linalg.global_norm(applied),
        }
        return norms | terms | logs
