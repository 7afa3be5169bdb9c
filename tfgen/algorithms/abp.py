"""Alternating back-propagation: a generator alone, whose latents are sampled by Langevin dynamics.

Papers: Han, Lu, Zhu and Wu, Alternating back-propagation for generator network, 2017; Divergence
triangle, section on learning from incomplete images.
"""

from typing import Annotated

import keras
import tensorflow as tf

from tfgen import energies, losses, samplers
from tfgen.errors import AtLeastOne, Positive
from tfgen.models import LatentModel, Sampling
from tfgen.samplers import KernelName
from tfgen.training.buffers import Buffer
from tfgen.training.latent_algorithm import LatentAlgorithm
from tfgen.types import Batch, Seed

LOGGED = ("posterior_energy", "reconstruction_error", "generator_grad_norm", "langevin_grad_norm")


class ABP(LatentAlgorithm):
    """Learns a generator by maximum likelihood, and keeps a chain of z for each image.

    Args:
        generator: g, latents to images.
        image_shape: height, width, channels.
        train_size: training images, each with latents of its own.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units.
        kernel: how latents move: langevin, mala or hmc.
        langevin_steps: on z, between two updates.
        step_size: ε of a step on z.
        inference_steps: steps that infer the latents of new images, from a draw of the prior.
        completion_rounds: times that a completion is inferred from.
    """

    has_sampler = True

    def __init__(
        self,
        generator: keras.Model,
        *,
        image_shape: tuple[int, ...],
        train_size: int = 1,
        num_incomplete: int = 0,
        seed: int = 0,
        sigma: Annotated[float, Positive] = 0.3,
        kernel: Annotated[str, KernelName] = "langevin",
        langevin_steps: Annotated[int, AtLeastOne] = 10,
        step_size: Annotated[float, Positive] = 0.1,
        inference_steps: Annotated[int, AtLeastOne] = 200,
        completion_rounds: Annotated[int, AtLeastOne] = 1,
    ):
        latent_kernel = samplers.kernel(kernel, step_size=step_size)
        model = LatentModel(
            generator,
            image_shape=image_shape,
            sigma=sigma,
            inference_sampling=Sampling(latent_kernel, inference_steps),
            completion_rounds=completion_rounds,
        )
        super().__init__(model, logged=LOGGED, num_incomplete=num_incomplete, seed=seed)
        self.sigma = sigma
        self.kernel = latent_kernel
        self.langevin_steps = langevin_steps
        self.latents = Buffer(train_size, model.generator.latent_shape, scale=1.0, name="latents")

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        generator, x, mask = self.nets["generator"], self.missing.fill(batch), batch.get("mask")

        # Inferential back-propagation: z ~ p(z|x), from where it was left. A few steps an update
        # suffice, since the posterior moves slowly while the generator learns.
        z = self.latents.gather(batch["index"])
        energy = energies.posterior(generator.of_inferred, x, self.sigma, mask)
        kernel = self.kernel.scaled(self.step_factor)
        z, info = samplers.run(kernel, energy, z, seed, self.langevin_steps)
        self.latents.scatter(batch["index"], z)

        # learning back-propagation: θ up log p(x|z)
        with tf.GradientTape() as tape:
            decoded = generator.of_inferred(z, training=True)
            # of -log p(z) - log p(x|z) only the second term depends on θ; z is a constant here
            joint = energies.posterior(lambda _: decoded, x, self.sigma, mask)
            loss = tf.reduce_mean(joint(z))
        norms = self.minimize_together(["generator"], tape, loss)
        self.missing.overwrite(batch, decoded)
        return norms | {
            "posterior_energy": loss,
            "reconstruction_error": losses.mean_squared_error(x, decoded, mask),
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
        }
