"""Adversarially learned inference: a discriminator of pairs matches two joint distributions.

Papers: Dumoulin et al., Adversarially learned inference, 2017, Algorithm 1; Donahue, Krähenbühl and
Darrell, Adversarial feature learning, 2017. For Q = q_data(x) q_φ(z|x) and P = p(z) p_θ(x|z):

    min_θ min_φ max_D E_Q[log D(x, z)] + E_P[log(1 - D(x, z))]

Deviation: x of P is g(z), without the noise of p(x|z), as in the divergence triangle.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import AtLeastOne
from tfgen.models import JointAdversarialModel, reparameterized
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed

ROLES = ("joint_discriminator", "generator", "inference")
LOGGED = (
    "cross_entropy",
    "generator_loss",
    "log_odds_data",
    "log_odds_samples",
    "reconstruction_error",
    *grad_norms(*ROLES),
)


class ALI(LatentAlgorithm):
    """Learns a generator and an inference net against a discriminator of images and latents.

    Args:
        joint_discriminator: images and latents to log-odds of being an image and what is inferred.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    model: JointAdversarialModel

    def __init__(
        self,
        joint_discriminator: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        model = JointAdversarialModel(
            joint_discriminator,
            generator,
            inference,
            image_shape=image_shape,
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=0, seed=seed)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, posterior_seed = random.split(seed)
        discriminator, generator, inference = (self.nets[role] for role in ROLES)
        x, z = batch["image"], prior_draws(self.model, batch, prior_seed)
        with tf.GradientTape(persistent=True) as tape:
            mean, log_var = inference(x, training=True)
            inferred = reparameterized(mean, log_var, posterior_seed)
            odds_q = discriminator((x, inferred), training=True)
            odds_p = discriminator((generator(z, training=True), z), training=True)
            cross_entropy = losses.logistic(odds_q, odds_p)
            # as is usual, -log of the other's probability in place of log(1 - it), which is flat
            # where pairs are told apart
            loss = losses.logistic(odds_p, odds_q)

        # Algorithm 1 takes both gradients before any step
        gradients = tape.gradient(cross_entropy, self.trainable_tensors("joint_discriminator"))
        norms = self.minimize_together(["generator", "inference"], tape, loss)
        applied = self.apply_gradients("joint_discriminator", gradients)

        # in training mode, so that a net with statistics of inferred latents keeps them
        decoded = generator.of_inferred(inferred, training=True)
        return norms | {
            "cross_entropy": cross_entropy,
            "generator_loss": loss,
            "log_odds_data": tf.reduce_mean(odds_q),
            "log_odds_samples": tf.reduce_mean(odds_p),
            "reconstruction_error": losses.mean_squared_error(x, decoded),
            "joint_discriminator_grad_norm": tf.linalg.global_norm(applied),
        }
