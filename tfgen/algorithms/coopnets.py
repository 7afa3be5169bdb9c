"""Cooperative learning: an energy revises the generator's drafts, from which both learn.

Paper: Xie, Lu, Gao, Zhu and Wu, Cooperative training of descriptor and generator networks, 2018,
Algorithm 1. Deviations: drafts are g(z) without the noise of p(x|z), as in the released code; the
energy's base distribution is uniform on the box of pixels, as the divergence triangle's, where the
paper has white noise.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import energies, losses, random, samplers
from tfgen.errors import AtLeastOne, NotNegative, Positive
from tfgen.models import LatentModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.algorithm import grad_norms
from tfgen.training.latent_algorithm import LatentAlgorithm, prior_draws
from tfgen.types import Batch, Seed

LOGGED = (
    "energy_data",
    "energy_samples",
    "energy_gap",
    "revision",
    "generator_loss",
    "langevin_grad_norm",
    "acceptance",
    *grad_norms("energy", "generator"),
)


class CoopNets(LatentAlgorithm):
    """Learns an energy from data and revised drafts, and a generator from the revised drafts.

    Args:
        energy: U, of images.
        generator: g, latents to images.
        image_shape: height, width, channels.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units.
        temperature: T of the density exp(-U / T).
        kernel: how images, and latents, move: langevin, mala or hmc.
        langevin_steps: under U / T, from a draft to its revision.
        step_size: ε of a step of images in pixel units.
        latent_steps: under p(z|x), from a draft's latents to those of its revision; 0 keeps them.
        latent_step_size: ε of a step of latents.
        sample_steps: under U / T, of a new sample or completion.
        inference_steps: steps that infer the latents of new images, from a draw of the prior.
        completion_rounds: times that a completion is inferred from.

    Raises:
        UserError: if a constant is out of its range.
    """

    has_sampler = True

    def __init__(
        self,
        energy: keras.Model,
        generator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        seed: int = 0,
        sigma: Annotated[float, Positive] = 0.3,
        temperature: Annotated[float, Positive] = 0.001,
        kernel: Annotated[str, KernelName] = "langevin",
        langevin_steps: Annotated[int, AtLeastOne] = 10,
        step_size: Annotated[float, Positive] = 0.01,
        latent_steps: Annotated[int, NotNegative] = 0,
        latent_step_size: Annotated[float, Positive] = 0.1,
        sample_steps: Annotated[int, NotNegative] = 10,
        inference_steps: Annotated[int, AtLeastOne] = 200,
        completion_rounds: Annotated[int, AtLeastOne] = 1,
    ):
        image_kernel = samplers.kernel(kernel, step_size=step_size, bounds=(-1.0, 1.0))
        latent_kernel = samplers.kernel(kernel, step_size=latent_step_size)
        model = LatentModel(
            generator,
            energy=energy,
            image_shape=image_shape,
            sampling=Sampling(image_kernel, sample_steps, learning_steps=langevin_steps),
            temperature=temperature,
            sigma=sigma,
            inference_sampling=Sampling(latent_kernel, inference_steps),
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=0, seed=seed)
        self.sigma = sigma
        self.kernel, self.langevin_steps = image_kernel, langevin_steps
        self.latent_kernel, self.latent_steps = latent_kernel, latent_steps

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        prior_seed, revising_seed, inferring_seed = random.split(seed, 3)
        generator = self.model.generator

        # step G0: drafts; step D1: U revises them
        z = prior_draws(self.model, batch, prior_seed)
        draft = generator(z, training=True)
        kernel = self.kernel.scaled(self.step_factor)
        u = self.model.energy_fn()
        revised, info = samplers.run(kernel, u, draft, revising_seed, self.langevin_steps)

        # step G1: latents follow their revised images
        if self.latent_steps:
            posterior = energies.posterior(generator.of_inferred, revised, self.sigma)
            latent_kernel = self.latent_kernel.scaled(self.step_factor)
            z, _ = samplers.run(latent_kernel, posterior, z, inferring_seed, self.latent_steps)

        # step D2: the energy learns from data and revised drafts, as in contrastive divergence
        u = self.model.energy_fn(training=True)
        with tf.GradientTape() as tape:
            u_data, u_revised = u(batch["image"]), u(revised)
            gap = losses.energy_difference(u_data, u_revised)
        norms = self.minimize_together(["energy"], tape, gap)

        # step G2: the generator learns to make the revised drafts at once
        with tf.GradientTape() as tape:
            decoded = generator.of_inferred(z, training=True)
            joint = energies.posterior(lambda _: decoded, revised, self.sigma)
            loss = tf.reduce_mean(joint(z))
        norms |= self.minimize_together(["generator"], tape, loss)
        return norms | {
            "energy_data": tf.reduce_mean(u_data),
            "energy_samples": tf.reduce_mean(u_revised),
            "energy_gap": gap,
            "revision": losses.mean_squared_error(revised, draft),
            "generator_loss": loss,
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
            "acceptance": tf.reduce_mean(info.mean.acceptance),
        }
