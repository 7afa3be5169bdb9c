"""Wasserstein GANs: the critic is -U of an energy net, kept Lipschitz by a penalty or by clipping.

Papers: Arjovsky, Chintala and Bottou, Wasserstein generative adversarial networks, 2017,
Algorithm 1; Gulrajani et al., Improved training of Wasserstein GANs, 2017, Algorithm 1.
Deviation: all critic steps of an update meet the same images, each with samples of its own, so that
an update uses as many images as those of other algorithms.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import losses, random, samplers
from tfgen.errors import AtLeastOne, NotNegative, OneOf, Positive
from tfgen.models import LatentModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Image, Seed

CONSTRAINTS = ("gradient_penalty", "weight_clipping")
"""What keeps the critic's slopes bounded."""

LOGGED = (
    "wasserstein_distance",
    "energy_data",
    "energy_samples",
    "gradient_penalty",
    *grad_norms("energy", "generator"),
)


class WGAN(LatentAlgorithm):
    """Learns a generator against a critic; an update is some critic steps and a generator step.

    Args:
        energy: U, of images; the critic is -U, high at images and low at samples.
        generator: g, latents to images.
        image_shape: height, width, channels.
        seed: of all that training draws.
        constraint: of the critic: gradient_penalty, at random points between images and samples; or
            weight_clipping, after each critic step.
        penalty_weight: factor on the gradient penalty; without effect where weights are clipped.
        clip: the largest absolute weight, where weights are clipped.
        critic_steps: in an update, before the generator's step.
        kernel: how images are refined under U: langevin, mala or hmc.
        step_size: ε of such a step in pixel units.
        sample_steps: such steps of a new sample.

    Raises:
        UserError: if a constant is out of its range.
    """

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        constraint: Annotated[str, OneOf(*CONSTRAINTS)] = "gradient_penalty",
        penalty_weight: Annotated[float, NotNegative] = 10.0,
        clip: Annotated[float, Positive] = 0.01,
        critic_steps: Annotated[int, AtLeastOne] = 5,
        kernel: Annotated[str, KernelName] = "langevin",
        step_size: Annotated[float, Positive] = 0.01,
        sample_steps: Annotated[int, NotNegative] = 0,
    ):
        refining = samplers.kernel(kernel, step_size=step_size, bounds=(-1.0, 1.0))
        model = LatentModel(
            generator,
            energy=energy,
            image_shape=image_shape,
            sampling=Sampling(refining, sample_steps),
        )
        super().__init__(model, logged=LOGGED, num_incomplete=0, seed=seed)
        self.clipping = constraint == "weight_clipping"
        self.penalty_weight = penalty_weight
        self.clip = clip
        self.critic_steps = critic_steps

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        generator = self.nets["generator"]
        critic_seed, generator_seed = random.split(seed)
        for number in range(self.critic_steps):
            logs = self._critic_step(batch, random.fold_in(critic_seed, number))
        z = prior_draws(self.model, batch, generator_seed)
        with tf.GradientTape() as tape:
            u = self._u(generator(z, training=True))
            loss = tf.reduce_mean(u)
        return logs | self.minimize_together(["generator"], tape, loss)

    def _critic_step(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        """Makes a step of the critic towards the Wasserstein distance of images and samples."""
        z_seed, mixing_seed = random.split(seed)
        data, z = batch["image"], prior_draws(self.model, batch, z_seed)
        samples = self.nets["generator"](z, training=True)
        penalty = tf.constant(0.0)
        with tf.GradientTape() as tape:
            u_data, u_samples = self._u(data), self._u(samples)
            # E_data[-U] - E_g[-U] is at most the distance, times the critic's Lipschitz constant
            loss = losses.energy_difference(u_data, u_samples)
            if not self.clipping:
                penalty = losses.interpolated_gradient_penalty(self._u, data, samples, mixing_seed)
                loss += self.penalty_weight * penalty
        norms = self.minimize_together(["energy"], tape, loss)
        if self.clipping:
            self.clip_weights("energy", self.clip)
        return norms | {
            "wasserstein_distance": -losses.energy_difference(u_data, u_samples),
            "energy_data": tf.reduce_mean(u_data),
            "energy_samples": tf.reduce_mean(u_samples),
            "gradient_penalty": penalty,
        }

    def _u(self, x: Image) -> tf.Tensor:
        return self.nets["energy"](x, training=True)
