"""Models of one picture's patches at several sizes, sampled from coarse to fine."""

from collections.abc import Hashable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import distributions, energies, portability, random
from tfgen.errors import UserError
from tfgen.models import inputs
from tfgen.models.base import Model, Sampling, Target
from tfgen.models.endpoints import task
from tfgen.models.snapshots import Snapshots
from tfgen.nets.architectures import adapters
from tfgen.samplers import run
from tfgen.types import Energy, EnergyFn, Image, Integer, Label, Seed


@keras.saving.register_keras_serializable("tfgen")
class PyramidModel(Model):
    """An energy of images of any size for each scale; a sample is enlarged from scale to scale.

    Args:
        energy: the net of all scales, whose snapshots are kept; it takes images of any size.
        image_shape: height, width, channels of the finest scale.
        image_mean: of noise, one number a channel, in [-1, 1].
        sigma: standard deviation of the noise that samples start from, pixel units.
        scales: how many, from coarse to fine.
        coarsest: side of the coarsest images relative to the finest, in (0, 1].
        sampling: how images move at each scale.

    Attributes:
        size: height and width of the finest scale.
        snapshots: the energies of the scales that are learned.

    Source: Zheng, Xie and Li, Patchwise generative ConvNet, CVPR 2021.
    """

    sampling: Sampling

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, ...],
        image_mean: Sequence[float],
        sigma: float,
        scales: int,
        coarsest: float,
        sampling: Sampling,
    ):
        net = adapters.as_energy(energy, image_shape)
        if not net.any_size or net.num_outputs > 1:
            raise UserError("nets: expected a net of one energy that takes images of any size")
        super().__init__({"energy": net}, image_shape=image_shape, sampling=sampling)
        self.energy_net = net
        self.size = (self.image_shape[0], self.image_shape[1])
        self.image_mean = np.array(image_mean, np.float32)
        self.sigma = sigma
        self.scales = scales
        self.coarsest = coarsest
        self.snapshots = Snapshots(net, scales)

    def inputs(self) -> dict[str, inputs.Input]:
        least = int(np.ceil(self.energy_net.least_side / self.coarsest))
        found = [
            inputs.image(self.image_shape),
            inputs.seed(),
            inputs.count(),
            inputs.size(self.image_shape[:2], min(least, *self.image_shape[:2])),
        ]
        return {known.name: known for known in found}

    def energy_at(self, scale: int) -> EnergyFn:
        """Returns the learned energy of a scale; 0 where it is not learned yet."""
        return self.snapshots.net_at(self.energy_net, scale)

    def energy_fn(self, label: Label | None = None, training: bool = False) -> EnergyFn:
        """Returns the energy of the finest scale."""
        del label, training  # snapshots run in inference mode alone
        return self.energy_at(self.scales - 1)

    def target(self, label: Label | None = None) -> Target:
        """Returns the density of the finest scale's energy, on the box that its samples stay in.

        Its temperature is that which the coefficients of a step imply.

        Raises:
            UserError: if steps have no noise, and so no temperature.
        """
        temperature = self.sampling.kernel.implied_temperature
        if temperature <= 0:
            raise UserError(
                "noise_scale: expected a number above 0, since a density needs a temperature, and "
                "found 0"
            )
        energy = self.energy_fn(label)
        return Target(lambda x: energy(x) / temperature, distributions.Uniform(), self.image_shape)

    def side(self, side: Integer, scale: int) -> Integer:
        """Computes a side of images at a scale: a geometric sequence up to the finest's.

        Args:
            side: of the finest images, pixels.
            scale: from 0, the coarsest.
        """
        share = self.coarsest ** ((self.scales - 1 - scale) / max(self.scales - 1, 1))
        if isinstance(side, int):
            return max(round(side * share), 1)
        shorter = tf.round(tf.cast(side, tf.float32) * share)
        return tf.maximum(tf.cast(shorter, tf.int32), 1)

    def at(self, image: Image, scale: int, size: tuple[Integer, Integer]) -> Image:
        """Returns images as they are at a scale: smaller ones enlarged, larger ones shrunk.

        Args:
            image: [b, h, w, c].
            scale: from 0.
            size: height and width at the finest scale.
        """
        sides = [self.side(side, scale) for side in size]
        return tf.image.resize(image, sides, antialias=True)

    def start(self, count: Integer, size: tuple[Integer, Integer], seed: Seed) -> Image:
        """Draws the noise that samples start from, at the coarsest scale."""
        sides = [self.side(side, 0) for side in size]
        noise = random.normal([count, *sides, self.image_shape[-1]], seed)
        return portability.clip(self.image_mean + self.sigma * noise, -1.0, 1.0)

    def sampled(
        self, count: Integer, size: tuple[Integer, Integer], seed: Seed, scales: int
    ) -> Image:
        """Samples images through the first scales, as they are at the last one of these.

        Args:
            count: how many.
            size: height and width at the finest scale.
            seed: int32 [2].
            scales: how many; 0 draws the noise alone.
        """
        x = self.start(count, size, random.fold_in(seed, self.scales))
        for scale in range(scales):
            x = self.at(x, scale, size)
            own = random.fold_in(seed, scale)
            x, _ = run(self.sampling.kernel, self.energy_at(scale), x, own, self.sampling.steps)
        return x

    def revision(self) -> Hashable:
        return self.snapshots.num_kept

    @task("image")
    def generate(self, count: tf.Tensor, seed: Seed) -> Image:
        """Samples images of the training picture's size, from noise."""
        return self.sampled(count, self.size, seed, self.scales)

    @task("image")
    def synthesize(self, count: tf.Tensor, seed: Seed, size: tf.Tensor) -> Image:
        """Samples images of any size from noise, [count, size[0], size[1], c]."""
        return self.sampled(count, (size[0], size[1]), seed, self.scales)

    @task("energy")
    def energy(self, image: Image) -> Energy:
        """Computes the finest scale's energy of each image, up to a constant: low is likely."""
        return self.energy_fn()(image)

    @task("energy", "steepness")
    def anomaly(self, image: Image) -> tuple[Energy, tf.Tensor]:
        """Computes the energy and the magnitude of its gradient at each pixel, [b, h, w, 1]."""
        found = energies.input_gradient_magnitude(self.energy_fn(), image)
        return found["energy"], found["steepness"]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "image_mean": [float(mean) for mean in self.image_mean],
            "sigma": self.sigma,
            "scales": self.scales,
            "coarsest": self.coarsest,
        }
