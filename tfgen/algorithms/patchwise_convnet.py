"""The patchwise generative ConvNet: energies of one picture's patches, from coarse to fine.

Paper: Patchwise generative ConvNet (Zheng, Xie and Li, CVPR 2021). Deviations: an energy begins as
that of the scale below; the recovery loss is left out.
"""

import math
from collections.abc import Sequence
from typing import Annotated

import keras
import tensorflow as tf

from tfgen import energies, losses, microbatches, random, samplers
from tfgen.errors import AtLeastOne, NotNegative, Positive, Range
from tfgen.models import PyramidModel, Sampling
from tfgen.training import replicas
from tfgen.training.algorithm import Algorithm, grad_norms
from tfgen.training.scales import Scales
from tfgen.types import Batch, Image, Seed

LOGGED = (
    "energy_data",
    "energy_samples",
    "energy_gap",
    *grad_norms("energy"),
    "langevin_grad_norm",
    "scale",
)


class PatchwiseConvNet(Algorithm):
    """Learns an energy for each scale of a picture, by short runs that start at the scale below.

    Args:
        energy: the net, -f of images of any size.
        image_shape: height, width, channels.
        image_mean: of the training images, a number a channel, in [-1, 1].
        seed: of all that training draws.
        scales: how many; sides grow geometrically from scale to scale.
        coarsest: side of the coarsest scale relative to the picture's.
        scale_updates: updates of a scale; the last one goes on.
        samples: synthesized images an update, shared by its replicas and micro-batches.
        sigma: standard deviation of the noise at the coarsest scale, pixel units.
        langevin_steps: of samples at each scale.
        gradient_step: s of a step x ← x - s dU/dx + noise, pixel units squared per nat.
        noise_scale: standard deviation of a step's noise, pixel units.
        data_noise: standard deviation of noise added to observed images, pixel units.
        energy_weight: weight of the squared energies, in nats per pixel, beside their difference.
    """

    has_sampler = True
    model: PyramidModel

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, ...],
        image_mean: Sequence[float],
        seed: int = 0,
        scales: Annotated[int, AtLeastOne] = 6,
        coarsest: Annotated[float, Range(above=0, most=1)] = 0.125,
        scale_updates: Annotated[int, AtLeastOne] = 300,
        samples: Annotated[int, AtLeastOne] = 4,
        sigma: Annotated[float, Positive] = 0.3,
        langevin_steps: Annotated[int, AtLeastOne] = 30,
        gradient_step: Annotated[float, Positive] = 0.005,
        noise_scale: Annotated[float, NotNegative] = 0.005,
        data_noise: Annotated[float, NotNegative] = 0.02,
        energy_weight: Annotated[float, NotNegative] = 0.1,
    ):
        kernel = samplers.Langevin.from_gradient_step(
            gradient_step, noise_scale, bounds=(-1.0, 1.0)
        )
        model = PyramidModel(
            energy,
            image_shape=image_shape,
            image_mean=image_mean,
            sigma=sigma,
            scales=scales,
            coarsest=coarsest,
            sampling=Sampling(kernel, langevin_steps, learning_steps=langevin_steps),
        )
        super().__init__(model, logged=LOGGED, seed=seed)
        self.scale = 0
        self.scales = scales
        self.scale_updates = scale_updates
        self.samples = samples
        self.data_noise = data_noise
        self.energy_weight = energy_weight

    def update(self, batch: Batch, seed: Seed) -> dict[str, tf.Tensor]:
        model, net, scale = self.model, self.nets["energy"], self.scale
        noise_seed, start_seed, run_seed = random.split(seed, 3)
        size = model.size
        observed = model.at(batch["image"], scale, size)
        observed += self.data_noise * random.normal(tf.shape(observed), noise_seed)

        # a short run at this scale, from what the scales below have made of noise
        count = math.ceil(self.samples / (replicas.count() * microbatches.count()))
        start = model.at(model.sampled(count, size, start_seed, scale), scale, size)
        kernel = model.sampling.kernel.scaled(self.step_factor)
        steps = model.sampling.steps
        x, info = samplers.run(kernel, energies.frozen(net), start, run_seed, steps)

        # maximum likelihood by such runs; sums over all places are put in nats per pixel
        pixels = observed.shape[1] * observed.shape[2]
        with tf.GradientTape() as tape:
            data, samples = net(observed, training=True), net(x, training=True)
            gap = losses.energy_difference(data, samples)
            size_of_energies = tf.reduce_mean(data**2) + tf.reduce_mean(samples**2)
            loss = gap / pixels + self.energy_weight * size_of_energies / pixels**2
        norms = self.minimize_together(["energy"], tape, loss)
        model.snapshots.keep(net, tf.constant(scale))
        return norms | {
            "energy_data": tf.reduce_mean(data),
            "energy_samples": tf.reduce_mean(samples),
            "energy_gap": gap,
            "langevin_grad_norm": tf.reduce_mean(info.mean.grad_norm),
            "scale": tf.constant(float(scale)),
        }

    def pictures(self, batch: Batch) -> dict[str, Image]:
        del batch
        size = self.model.size
        x = self.model.sampled(self.samples, size, random.root(self.seed), self.scale + 1)
        return {"samples": self.model.at(x, self.scales - 1, size)}

    def callbacks(self) -> list[keras.callbacks.Callback]:
        return [Scales(self)]

    @property
    def last_growth(self) -> int:
        return self.scale * self.scale_updates
