"""Wake-sleep: the generator learns from inferred latents, the inference net from dreams.

Papers: Hinton, Dayan, Frey and Neal, The wake-sleep algorithm, 1995; Divergence triangle,
section 2.2.1: θ by min KL(Q‖P), as in the VAE, but φ by min KL(P‖Q).
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import AtLeastOne, Positive
from tfgen.models import LatentModel, reparameterized
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm
from tfgen.types import Batch, Seed


class WakeSleep(LatentAlgorithm):
    """Learns a generator and an inference net in turn.

    Args:
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units; dreams are drawn with it.
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
        logged = ["kl_q_p", "latent_nll", "reconstruction_error"]
        logged += grad_norms("generator", "inference")
        super().__init__(model, logged=logged, num_incomplete=num_incomplete, seed=seed)
        self.sigma = sigma

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        posterior_seed, prior_seed, noise_seed = random.split(seed, 3)
        generator, inference = self.nets["generator"], self.nets["inference"]
        x, mask = self.missing.fill(batch), batch.get("mask")

        # wake: θ down KL(Q‖P); z is inferred outside of the tape, so no gradient is spent on φ
        mean, log_var = inference(x, training=True)
        z = reparameterized(mean, log_var, posterior_seed)
        with tf.GradientTape() as wake:
            decoded = generator.of_inferred(z, training=True)
            q_p = losses.kl_q_p(x, decoded, mean, log_var, self.sigma, mask)
        norms = self.minimize_together(["generator"], wake, q_p)

        # sleep: φ down KL(P‖Q), with dreams of the generator as just updated
        z = random.normal(tf.shape(mean), prior_seed)
        dream = generator(z, training=True)
        dream += self.sigma * random.normal(tf.shape(dream), noise_seed)
        with tf.GradientTape() as sleep:
            p_q = losses.kl_p_q(z, *inference(dream, training=True))
        norms |= self.minimize_together(["inference"], sleep, p_q)

        self.missing.overwrite(batch, decoded)
        return norms | {
            "kl_q_p": q_p,
            "latent_nll": p_q,
            "reconstruction_error": losses.mean_squared_error(x, decoded, mask),
        }
