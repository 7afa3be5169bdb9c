"""Alternating back-propagation: a generator alone, whose latents are sampled, not inferred by a net.

Papers: Han, Lu, Zhu and Wu, Alternating back-propagation for generator network, 2017; Divergence triangle, section on
learning from incomplete images.
"""

import keras
import tensorflow as tf

from tfgen import energies, losses
from tfgen.errors import check
from tfgen.models import LatentTasks, Sampled
from tfgen.samplers import Langevin, run
from tfgen.training.algorithm import LatentAlgorithm
from tfgen.training.buffers import Memory
from tfgen.types import Batch, Seed


class ABP(LatentAlgorithm):
    """Learns a generator by maximum likelihood; Langevin dynamics on z goes on, for each image, where it stopped.

    Args:
        generator: g, latents to images.
        image_shape: height, width, channels.
        train_size: training images, each with latents of its own.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
        sigma: standard deviation of p(x|z) in pixel units, positive.
        langevin_steps: on z, between two updates.
        step_size: Langevin's ε on z, positive.
        inference_steps: Langevin steps that infer the latents of new images, from a draw of the prior.
        completion_rounds: times that a completion is inferred from, at least 1.
    """

    def __init__(
        self,
        generator: keras.Model,
        *,
        image_shape: tuple[int, int, int],
        train_size: int = 1,
        num_incomplete: int = 0,
        seed: int = 0,
        sigma: float = 0.3,
        langevin_steps: int = 10,
        step_size: float = 0.1,
        inference_steps: int = 200,
        completion_rounds: int = 1,
    ):
        logged = [
            "posterior_energy",
            "reconstruction_error",
            "generator_grad_norm",
            "langevin_grad_norm",
        ]
        super().__init__(logged, generator, image_shape, num_incomplete, seed, completion_rounds)
        self.sigma = check("sigma", sigma, above=0)
        self.langevin_steps = check("langevin_steps", langevin_steps, least=1)
        self.inference_steps = check("inference_steps", inference_steps, least=1)
        self.kernel = Langevin(check("step_size", step_size, above=0))
        self.latents = Memory(train_size, generator.latent_shape, scale=1.0)

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        x, mask = self.missing.fill(batch), batch.get("mask")
        # inferential back-propagation: z ~ p(z|x), from where it was left
        z = self.latents.take(batch["index"])
        energy = energies.posterior(energies.frozen(self.generator), x, self.sigma, mask)
        z, info = run(self.kernel, energy, z, seed, self.langevin_steps)
        self.latents.put(batch["index"], z)
        # learning back-propagation: θ up log p(x|z)
        with tf.GradientTape() as tape:
            decoded = self.generator(z, training=True)
            loss = tf.reduce_mean(energies.posterior(lambda _: decoded, x, self.sigma, mask)(z))
        self.missing.overwrite(batch, decoded)
        return {
            "posterior_energy": loss,
            "reconstruction_error": losses.mean_squared_error(x, decoded, mask),
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
        } | self.descend_together(["generator"], tape, loss)

    @property
    def tasks(self) -> LatentTasks:
        """What the generator is used for."""
        posterior = Sampled(self.generator, self.kernel, self.sigma, self.inference_steps)
        return LatentTasks(
            self.generator, self.image_shape, posterior, completion_rounds=self.completion_rounds
        )
