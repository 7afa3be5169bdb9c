"""Adversarial contrastive divergence: the divergence triangle's two sides that meet in the energy.

Paper: Divergence triangle, equations 16 to 19: max_α min_θ min_φ KL(P‖Π) - KL(Q‖Π); the generator
chases the energy, and the inference net bounds its entropy.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, samplers
from tfgen.errors import AtLeastOne, NotNegative, Positive
from tfgen.models import LatentModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed

ROLES = ("energy", "generator", "inference")


class ACD(LatentAlgorithm):
    """Learns an energy and its sampler; no image is ever reconstructed.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
        temperature: T of Π ∝ exp(-U / T).
        kernel: how images are refined under U / T: langevin, mala or hmc.
        step_size: ε of such a step in pixel units.
        sample_steps: such steps of a new sample or completion.
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, ...],
        seed: int = 0,
        temperature: Annotated[float, Positive] = 0.1,
        kernel: Annotated[str, KernelName] = "langevin",
        step_size: Annotated[float, Positive] = 0.01,
        sample_steps: Annotated[int, NotNegative] = 0,
        completion_rounds: Annotated[int, AtLeastOne] = 4,
    ):
        refining = samplers.kernel(kernel, step_size=step_size, bounds=(-1.0, 1.0))
        model = LatentModel(
            generator,
            inference,
            energy,
            image_shape=image_shape,
            sampling=Sampling(refining, sample_steps),
            temperature=temperature,
            completion_rounds=completion_rounds,
        )
        logged = ["energy_data", "energy_samples", "energy_gap", "latent_nll", *grad_norms(*ROLES)]
        super().__init__(model, logged=logged, num_incomplete=0, seed=seed)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        generator, inference = self.nets["generator"], self.nets["inference"]
        u = self.model.energy_fn(training=True)
        z = prior_draws(self.model, batch, seed)
        with tf.GradientTape() as tape:
            x = generator(z, training=True)
            u_data, u_x = u(batch["image"]), u(x)
            # equation 19: E log q(z|g(z)) bounds the samples' entropy, and φ tightens the bound
            p_pi = losses.kl_p_pi(u_x, z, *inference(x, training=True))
            q_pi = losses.kl_q_pi(u_data)
            objective = p_pi - q_pi
        # max_α min_θ min_φ by one gradient, which the energy follows upwards
        norms = self.minimize_together(ROLES, tape, objective, ascending=["energy"])
        samples = tf.reduce_mean(u_x)
        return norms | {
            "energy_data": q_pi,
            "energy_samples": samples,
            "energy_gap": q_pi - samples,
            "latent_nll": p_pi - samples,
        }
