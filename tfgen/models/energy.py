"""Models with an energy alone: a ConvNet's score that tilts white noise."""

from collections.abc import Hashable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgen import distributions, energies, portability, random
from tfgen.errors import UserError
from tfgen.models import inputs
from tfgen.models.base import Model, Sampling, Target
from tfgen.models.chains import Chains
from tfgen.models.endpoints import task
from tfgen.nets.architectures import adapters
from tfgen.samplers import run
from tfgen.types import Energy, EnergyFn, Hole, Image, Integer, Label, Mask, Seed


@keras.saving.register_keras_serializable("tfgen")
class EnergyModel(Model):
    """A density of images, p(x) ∝ exp f(x) q(x), with q white noise.

    Args:
        energy: the net, -f of images in units of sigma; several outputs are one energy a class.
        image_shape: height, width, channels; before these, frames of clips.
        image_mean: the reference's mean, one number a channel, in [-1, 1].
        sigma: the reference's standard deviation in pixel units, positive.
        sampling: how new samples and completions are made.
        num_chains: persistent chains that training keeps; 0 where it keeps none.
        start_from_chains: whether new samples start from the persistent chains, tiled where they
            are to be larger, instead of from the reference.
        margin: pixels at a sample's border that are cut off, since fewer filters see them.

    Attributes:
        energy_net: the net.
        persistent_chains: the chains as training left them; none of them where it keeps none.
        least_side: of images that can be synthesized, pixels.

    Source: A Theory of Generative ConvNet, equations 4, 5 and 8, Definition 2.
    """

    sampling: Sampling

    def __init__(
        self,
        energy: keras.Model,
        *,
        image_shape: tuple[int, ...],
        image_mean: Sequence[float],
        sigma: float,
        sampling: Sampling,
        num_chains: int = 0,
        start_from_chains: bool = False,
        margin: int = 0,
    ):
        net = adapters.as_energy(energy, image_shape)
        super().__init__(
            {"energy": net},
            image_shape=image_shape,
            num_classes=net.num_outputs,
            sampling=sampling,
        )
        self.energy_net = net
        self.least_side = max(net.least_side - 2 * margin, 1)
        self.image_mean = np.array(image_mean, np.float32)
        self.sigma = sigma
        self.start_from_chains = start_from_chains
        self.margin = margin
        self.persistent_chains = Chains(num_chains, self.image_shape, self.image_mean)
        self._check(num_chains)

    def _check(self, num_chains: int) -> None:
        """Raises UserError unless the margin and the chains fit the net."""
        side, classes = min(self.image_shape[-3:-1]), self.num_classes
        any_size, shifts = self.energy_net.any_size, self.sampling.shifts
        if self.margin and not (any_size and 2 * self.margin < side):
            raise UserError(
                f"margin: expected 0 for this net and image size and found {self.margin}"
            )
        if shifts > 1 and not any_size:
            raise UserError(f"shifts: expected 1 for a net of one image size and found {shifts}")
        if 0 < num_chains < classes or (self.start_from_chains and not num_chains):
            raise UserError(f"chains: expected at least {classes}, one a class; found {num_chains}")

    def inputs(self) -> dict[str, inputs.Input]:
        declared = [
            inputs.image(self.image_shape),
            inputs.mask(self.image_shape),
            inputs.seed(),
            inputs.count(),
            inputs.num_steps(self.sampling.steps),
            inputs.size(self._free(), self.least_side),
        ]
        if self.num_classes > 1:
            declared.append(inputs.label(self.num_classes))
        return {known.name: known for known in declared}

    def unable(self) -> set[str]:
        unable = set()
        # synthesize takes no label, without which one of several energies is not chosen
        if not self.energy_net.free_sides or self.num_classes > 1:
            unable.add("synthesize")
        if not self.persistent_chains.num:
            unable.add("chains")
        return unable

    def energy_fn(
        self, label: Label | None = None, training: bool = False, place: Integer | None = None
    ) -> EnergyFn:
        """Returns U of images: the reference tilted by the score of each example's class.

        Args:
            label: classes [b], or None where there are none.
            training: whether the net runs in training mode.
            place: number of a place on the net's grid of strides, of `Sampling.shifts` squared;
                None leaves images where they are.
        """

        def net(x):
            return self.energy_net(x, training=training)

        score = net if label is None else energies.conditional(net, label)
        energy = energies.tilted(score, self.sigma, self.image_mean)
        if place is None:
            return energy
        return energies.shifted(energy, place, self.sampling.shifts, self.image_mean)

    def target(self, label: Label | None = None) -> Target:
        kernel = self.sampling.kernel
        if kernel.temperature <= 0:
            raise UserError(
                "temperature: expected a positive one, which a density needs, and found "
                f"{kernel.temperature:g}"
            )
        energy, temperature = self.energy_fn(label), kernel.temperature
        # U / T tilts white noise whose variance is T times the reference's
        sigma = self.sigma * temperature**0.5
        distribution: distributions.Distribution = distributions.Gaussian(sigma, self.image_mean)
        if kernel.bounds is not None:
            distribution = distributions.TruncatedGaussian(sigma, self.image_mean, kernel.bounds)
        return Target(lambda x: energy(x) / temperature, distribution, self.image_shape)

    def chain_starts(self, count: int, seed: Seed) -> Image:
        chains = self.persistent_chains
        if not chains.num:
            return self._start((count, *self.image_shape), seed, None)
        return tf.gather(chains.state.value, tf.range(count) % chains.num)

    def revision(self) -> Hashable:
        return self.energy_net.depth  # layers that a graph was traced with

    @task("energy")
    def energy(self, image: Image, label: Label | None = None) -> Energy:
        """Computes U(x) of each image in nats, up to one constant: low is likely."""
        return self.energy_fn(label)(image)

    @task("energy", "steepness")
    def anomaly(self, image: Image, label: Label | None = None) -> tuple[Energy, tf.Tensor]:
        """Computes U(x) and the magnitude of its gradient at each pixel, [b, h, w, 1]."""
        found = energies.input_gradient_magnitude(self.energy_fn(label), image)
        return found["energy"], found["steepness"]

    @task("image")
    def reconstruct(self, image: Image, label: Label | None = None) -> Image:
        """Computes I - σ² dU/dI: for a ReLU net the mean of the image's Gaussian piece.

        Source: A Theory of Generative ConvNet, equations 16 and 20.
        """
        _, gradient = energies.value_and_grad(self.energy_fn(label), image)
        return image - self.sigma**2 * gradient

    @task("image")
    def generate(
        self,
        count: tf.Tensor,
        seed: Seed,
        num_steps: tf.Tensor | None = None,
        label: Label | None = None,
    ) -> Image:
        """Samples images of the training images' size, less the margin on each side."""
        return self._sample((count, *self.image_shape), seed, num_steps, label)

    @task("image")
    def synthesize(
        self, count: tf.Tensor, seed: Seed, size: tf.Tensor, num_steps: tf.Tensor | None = None
    ) -> Image:
        """Samples images of any size, [count, *size, c], or clips of any length."""
        sides = [*tf.unstack(size), *self.image_shape[self.energy_net.free_sides : -1]]
        sides[-2:] = [side + 2 * self.margin for side in sides[-2:]]
        return self._sample((count, *sides, self.image_shape[-1]), seed, num_steps, None)

    @task("image")
    def complete(
        self,
        image: Image,
        mask: Mask,
        seed: Seed,
        num_steps: tf.Tensor | None = None,
        label: Label | None = None,
    ) -> Image:
        """Fills missing pixels with a sample given the known ones, which stay as they are.

        Args:
            image: [b, h, w, c] in [-1, 1]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2], or a whole number.
            num_steps: sampling steps, not negative; None takes the model's own number.
            label: [b], or None where there are no classes.

        Returns:
            [b, h, w, c], in [-1, 1] where it was missing.

        Example:
            >>> completed = model.complete(image, mask, seed=0)
        """
        start_seed, run_seed = random.split(seed)
        start = self._start(tf.shape(image), start_seed, label)
        return self.complete_from(start, image, mask, run_seed, num_steps, label)

    def complete_from(
        self, start: Image, image: Image, mask: Mask, seed: Seed, num_steps=None, label=None
    ) -> Image:
        """Fills missing pixels as `complete` does, from where they are told to start."""
        known = mask * image
        start, hole = known + (1 - mask) * start, Hole(known, mask)
        x = self.sample_from(self.energy_fn(label), start, seed, num_steps, hole)
        # the energy ignores what x holds at known pixels, where noise has moved it
        return known + (1 - mask) * x

    @task("image")
    def chains(self) -> Image:
        """Returns what the persistent chains show, denoised like samples, less the margin."""
        chains = self.persistent_chains
        label = None
        if self.num_classes > 1:  # chain i is of class i % num_classes
            label = tf.range(chains.num) % self.num_classes
        image = self.denoise(chains.state.value, label)
        return without_margin(image, self.margin)

    def denoise(self, image: Image, label: Label | None = None) -> Image:
        """Returns images after the noise-free steps that end every sample, in [-1, 1]."""
        return self._denoise(self.energy_fn(label), image)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "image_mean": [float(mean) for mean in self.image_mean],
            "sigma": self.sigma,
            "num_chains": self.persistent_chains.num,
            "start_from_chains": self.start_from_chains,
            "margin": self.margin,
        }

    def _free(self) -> tuple[int, ...]:
        """Returns the model's own sides of those that synthesis chooses; of a fixed net all."""
        return self.image_shape[: self.energy_net.free_sides or -1]

    def _sample(self, shape, seed: Seed, num_steps, label: Label | None) -> Image:
        start_seed, run_seed = random.split(seed)
        start = self._start(shape, start_seed, label)
        x = self.sample_from(self.energy_fn(label), start, run_seed, num_steps)
        return without_margin(x, self.margin)

    def _start(self, shape, seed: Seed, label: Label | None) -> Image:
        """Draws white noise, or takes persistent chains and tiles them to a larger size."""
        if self.start_from_chains:
            return self.persistent_chains.tiled(shape, seed, self.num_classes, label, self.margin)
        return self.image_mean + self.sigma * random.normal(shape, seed)

    def sample_from(
        self, energy: EnergyFn, start: Image, seed: Seed, num_steps=None, hole: Hole | None = None
    ) -> Image:
        """Moves images under an energy as new samples are moved, noise-free steps included.

        Args:
            energy: U.
            start: [b, h, w, c].
            seed: int32 [2], or given noise.
            num_steps: None takes the model's own number.
            hole: if given, known pixels count as they are.

        Returns:
            [b, h, w, c] in [-1, 1].
        """
        steps = self.sampling.steps if num_steps is None else num_steps
        kernel = self.sampling.moving(self.sampling.kernel, self.image_mean, hole)
        x, _ = run(kernel, energy, start, seed, steps)
        return self._denoise(energy if hole is None else energies.clamped(energy, *hole), x)

    def _denoise(self, energy: EnergyFn, x: Image) -> Image:
        kernel = self.sampling.kernel.noise_free()
        # any seed will do, since nothing is drawn
        x, _ = run(kernel, energy, x, random.root(0), self.sampling.denoising_steps)
        return portability.clip(x, -1.0, 1.0)


def without_margin(image: Image, margin: int) -> Image:
    """Returns images without the pixels within `margin` of their border."""
    return image[..., margin:-margin, margin:-margin, :] if margin else image
