"""The variational auto-encoder: one side of the divergence triangle, min_θ min_φ KL(Q‖P).

Papers: Kingma and Welling, Auto-encoding variational Bayes, 2014; Divergence triangle, section 2.2.1.
"""

import keras
import tensorflow as tf

from tfgen import losses
from tfgen.errors import check
from tfgen.models import Amortized, LatentTasks, reparameterized
from tfgen.training.algorithm import LatentAlgorithm, check_latents
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
        sigma: standard deviation of p(x|z) in pixel units, positive.
        completion_rounds: times that a completion is inferred from, at least 1.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        num_incomplete: int = 0,
        seed: int = 0,
        sigma: float = 0.0707,
        completion_rounds: int = 4,
    ):
        logged = [
            "kl_q_p",
            "kl_to_prior",
            "reconstruction_error",
            *(f"{role}_grad_norm" for role in ROLES),
        ]
        super().__init__(logged, generator, image_shape, num_incomplete, seed, completion_rounds)
        self.inference = inference
        check_latents(generator, inference, self.image_shape)
        self.sigma = check("sigma", sigma, above=0)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        x, mask = self.missing.fill(batch), batch.get("mask")
        with tf.GradientTape() as tape:
            mean, log_var = self.inference(x, training=True)
            decoded = self.generator(reparameterized(mean, log_var, seed), training=True)
            loss = losses.kl_q_p(x, decoded, mean, log_var, self.sigma, mask)
        self.missing.overwrite(batch, decoded)
        return {
            "kl_q_p": loss,
            "kl_to_prior": losses.kl_to_prior(mean, log_var),
            "reconstruction_error": losses.mean_squared_error(x, decoded, mask),
        } | self.descend_together(ROLES, tape, loss)

    @property
    def tasks(self) -> LatentTasks:
        """What the two nets are used for."""
        posterior = Amortized(self.inference)
        return LatentTasks(
            self.generator, self.image_shape, posterior, completion_rounds=self.completion_rounds
        )
