"""The variational auto-encoder: one side of the divergence triangle, min_θ min_φ KL(Q‖P).

Papers: Kingma and Welling, Auto-encoding variational Bayes, 2014; Divergence triangle,
section 2.2.1.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses
from tfgen.errors import AtLeastOne, Positive
from tfgen.models import LatentModel, reparameterized
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm
from tfgen.types import Batch, Seed

ROLES = ("generator", "inference")


class VAE(LatentAlgorithm):
    """Learns a generator and an inference net by the evidence lower bound.

    Args:
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units.
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, ...],
        num_incomplete: int = 0,
        seed: int = 0,
        sigma: Annotated[float, Positive] = 0.0707,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        model = LatentModel(
            generator,
            inference,
            image_shape=image_shape,
            sigma=sigma,
            completion_rounds=completion_rounds,
        )
        logged = ["kl_q_p", "kl_to_prior", "reconstruction_error", *grad_norms(*ROLES)]
        super().__init__(model, logged=logged, num_incomplete=num_incomplete, seed=seed)
        self.sigma = sigma

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        generator, inference = (self.nets[role] for role in ROLES)
        x, mask = self.missing.fill(batch), batch.get("mask")
        with tf.GradientTape() as tape:
            mean, log_var = inference(x, training=True)
            z = reparameterized(mean, log_var, seed)
            decoded = generator.of_inferred(z, training=True)
            loss = losses.kl_q_p(x, decoded, mean, log_var, self.sigma, mask)
        norms = self.minimize_together(ROLES, tape, loss)
        # the next epoch imputes the missing pixels by this reconstruction
        self.missing.overwrite(batch, decoded)
        return norms | {
            "kl_q_p": loss,
            "kl_to_prior": losses.kl_to_prior(mean, log_var),
            "reconstruction_error": losses.mean_squared_error(x, decoded, mask),
        }
