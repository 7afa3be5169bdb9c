"""Adversarial contrastive divergence: the two sides of the divergence triangle that meet in the energy.

Paper: Divergence triangle, equations 16 to 19: max_α min_θ min_φ KL(P‖Π) - KL(Q‖Π); the generator chases the energy,
and the inference net bounds its entropy.
"""

import keras
import tensorflow as tf

from tfgen import losses, random
from tfgen.errors import check
from tfgen.models import Amortized, LatentTasks
from tfgen.samplers import Langevin
from tfgen.training.algorithm import LatentAlgorithm, check_latents
from tfgen.types import Batch, Energy, Image, Seed

ROLES = ("energy", "generator", "inference")


class ACD(LatentAlgorithm):
    """Learns an energy and its sampler; no image is ever reconstructed.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x).
        image_shape: height, width, channels.
        seed: of all that training draws.
        temperature: T of Π ∝ exp(-U / T), positive.
        step_size: Langevin's ε in pixel units, of steps that refine images under U / T; positive.
        sample_steps: such steps of a new sample or completion.
        completion_rounds: times that a completion is inferred from, at least 1.

    Raises:
        UserError: if the nets' latents differ, or a constant is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        inference: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        temperature: float = 0.1,
        step_size: float = 0.01,
        sample_steps: int = 0,
        completion_rounds: int = 4,
    ):
        logged = [
            "energy_data",
            "energy_samples",
            "energy_gap",
            "latent_nll",
            *(f"{role}_grad_norm" for role in ROLES),
        ]
        super().__init__(logged, generator, image_shape, 0, seed, completion_rounds)
        self.energy, self.inference = energy, inference
        check_latents(generator, inference, self.image_shape)
        self.temperature = check("temperature", temperature, above=0)
        self.kernel = Langevin(check("step_size", step_size, above=0), bounds=(-1.0, 1.0))
        self.sample_steps = check("sample_steps", sample_steps, least=0)

    def density(self, image: Image, training: bool = False) -> Energy:
        """U / T, the energy of Π, in nats: [b]."""
        return self.energy(image, training=training) / self.temperature

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        z = random.normal((batch["image"].shape[0], *self.generator.latent_shape), seed)
        with tf.GradientTape() as tape:
            x = self.generator(z, training=True)
            u, u_x = self.density(batch["image"], training=True), self.density(x, training=True)
            p_pi = losses.kl_p_pi(u_x, z, *self.inference(x, training=True))
            q_pi = losses.kl_q_pi(u)
            objective = p_pi - q_pi
        samples = tf.reduce_mean(u_x)
        return {
            "energy_data": q_pi,
            "energy_samples": samples,
            "energy_gap": q_pi - samples,
            "latent_nll": p_pi - samples,
        } | self.descend_together(ROLES, tape, objective, ascending=["energy"])

    @property
    def tasks(self) -> LatentTasks:
        """What the three nets are used for."""
        posterior = Amortized(self.inference)
        return LatentTasks(
            self.generator,
            self.image_shape,
            posterior,
            self.density,
            self.kernel,
            self.completion_rounds,
        )
