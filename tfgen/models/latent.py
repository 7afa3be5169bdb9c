"""Models with a generator, with an inference net or without, with an energy or without."""

from collections.abc import Hashable
from typing import Any

import keras
import tensorflow as tf

from tfgen import distributions, energies, portability, random
from tfgen.errors import UserError
from tfgen.models import completion, inputs
from tfgen.models.base import Model, Sampling, Target
from tfgen.models.endpoints import task
from tfgen.models.interpolation import lerp, slerp
from tfgen.models.posterior import Amortized, Posterior, Sampled, check_latents
from tfgen.nets.architectures import adapters
from tfgen.samplers import run
from tfgen.types import Energy, EnergyFn, Image, Label, Latent, Mask, Seed


@keras.saving.register_keras_serializable("tfgen")
class LatentModel(Model):
    """A generator of images from latents z ~ N(0, 1), and what infers z or refines images.

    Args:
        generator: g, latents to images.
        inference: images to the mean and log-variance of q(z|x); None where no net infers latents.
        energy: U of images; None where the model has none.
        image_shape: height, width, channels; before these, frames of clips.
        sampling: how images are refined under U / T; None where there is no energy.
        temperature: T of the density exp(-U / T), positive.
        sigma: standard deviation of p(x|z) in pixel units; None where the model has none.
        inference_sampling: how latents are sampled from p(z|x) where no net infers them.
        completion_rounds: times that missing pixels are filled in, inferred from and filled anew.

    Attributes:
        posterior: how images are encoded, or None where the model cannot.
        energy_net: the energy, or None.

    Raises:
        UserError: if the nets' latents differ.
    """

    def __init__(
        self,
        generator: keras.Model,
        inference: keras.Model | None = None,
        energy: keras.Model | None = None,
        *,
        image_shape: tuple[int, ...],
        sampling: Sampling | None = None,
        temperature: float = 1.0,
        sigma: float | None = None,
        inference_sampling: Sampling | None = None,
        completion_rounds: int = 4,
    ):
        nets = {"generator": adapters.as_generator(generator, image_shape)}
        if inference is not None:
            nets["inference"] = adapters.as_inference(inference, image_shape)
        if energy is not None:
            nets["energy"] = adapters.as_energy(energy, image_shape)
        super().__init__(nets, image_shape=image_shape, sampling=sampling)
        self.generator = nets["generator"]
        self.inference = nets.get("inference")
        self.energy_net = nets.get("energy")
        self.temperature = temperature
        self.sigma = sigma
        self.inference_sampling = inference_sampling
        self.completion_rounds = completion_rounds
        self.posterior = self._posterior()

    def _posterior(self) -> Posterior | None:
        if self.inference is not None:
            check_latents(self.generator, self.inference)
            return Amortized(self.inference)
        sampling = self.inference_sampling
        if sampling is None or self.sigma is None:
            return None
        return Sampled(self.generator, sampling.kernel, self.sigma, sampling.steps)

    def _posterior_of(self, task: str) -> Posterior:
        if self.posterior is None:
            raise UserError(f"{task}: expected a model that infers latents and found one without")
        return self.posterior

    def inputs(self) -> dict[str, inputs.Input]:
        declared = [
            inputs.image(self.image_shape),
            inputs.image(self.image_shape, "first", "images to start from, in [-1, 1]"),
            inputs.image(self.image_shape, "second", "images to end at, in [-1, 1]"),
            inputs.mask(self.image_shape),
            inputs.latent(self.generator.latent_shape),
            inputs.position(),
            inputs.spherical(),
            inputs.seed(),
            inputs.count(),
            inputs.draws(),
            inputs.size(self.image_shape[: self.generator.free_sides or -1]),
        ]
        if self.sampling is not None:
            declared.append(inputs.num_steps(self.sampling.steps))
        return {known.name: known for known in declared}

    def unable(self) -> set[str]:
        unable = set()
        if self.posterior is None:
            unable |= {"encode", "reconstruct", "interpolate", "complete", "uncertainty"}
        if self.energy_net is None:
            unable |= {"energy", "anomaly"}
        if not self.generator.free_sides:
            unable.add("synthesize")
        return unable

    def energy_fn(self, label: Label | None = None, training: bool = False) -> EnergyFn:
        """Returns U / T of images, in nats.

        Args:
            label: None; the model has no classes.
            training: whether the net runs in training mode.
        """
        net = self.energy_net
        if net is None:
            return super().energy_fn(label)
        return lambda x: net(x, training=training) / self.temperature

    def target(self, label: Label | None = None) -> Target:
        return Target(self.energy_fn(label), distributions.Uniform(), self.image_shape)

    def chain_starts(self, count: int, seed: Seed) -> Image:
        return self.generate(count, seed, 0)  # no step under U

    def revision(self) -> Hashable:
        return tuple(net.depth for net in self.nets.values())  # that a graph was traced with

    @task("image")
    def decode(self, latent: Latent) -> Image:
        """Computes g(z), [b, h, w, c], for z of the prior."""
        return self.generator(latent, training=False)

    @task("image")
    def generate(self, count: tf.Tensor, seed: Seed, num_steps: tf.Tensor | None = None) -> Image:
        """Generates images from latents of the prior, refined under U where there is one."""
        return self._generate((count, *self.generator.latent_shape), seed, num_steps)

    @task("image")
    def synthesize(
        self, count: tf.Tensor, seed: Seed, size: tf.Tensor, num_steps: tf.Tensor | None = None
    ) -> Image:
        """Generates images of any size, or clips of any length, from as large a map of latents."""
        sides, free = tf.unstack(size), self.generator.free_sides
        places, own = self.generator.latent_shape, self.image_shape
        # as many places as the sides take, rounded up
        needed = [-(-side * places[axis] // own[axis]) for axis, side in enumerate(sides)]
        found = self._generate((count, *needed, *places[free:]), seed, num_steps)
        return found[:, *(slice(side) for side in sides)]

    @task("latent")
    def encode(self, image: Image) -> Latent:
        """Computes the latents that explain images best, [b, ...]."""
        return self._posterior_of("encode").mean(image)

    @task("image")
    def reconstruct(self, image: Image) -> Image:
        """Computes g of the latents that explain images best."""
        return self.generator.of_inferred(self.encode(image))

    @task("energy")
    def energy(self, image: Image) -> Energy:
        """Computes U(x) / T of each image in nats, up to one constant: low is likely."""
        return self.energy_fn()(image)

    @task("energy", "steepness")
    def anomaly(self, image: Image) -> tuple[Energy, tf.Tensor]:
        """Computes U(x) / T and the magnitude of its gradient at each pixel, [b, h, w, 1]."""
        found = energies.input_gradient_magnitude(self.energy_fn(), image)
        return found["energy"], found["steepness"]

    @task("image")
    def interpolate(
        self, first: Image, second: Image, position: tf.Tensor, spherical: tf.Tensor
    ) -> Image:
        """Decodes latents on the way between those of two images.

        Args:
            first: [b, h, w, c].
            second: [b, h, w, c].
            position: [b], 0 at the first and 1 at the second.
            spherical: a boolean; along the great circle, not the straight line.
        """
        a, b = self.encode(first), self.encode(second)
        z = tf.where(spherical, slerp(a, b, position), lerp(a, b, position))
        return self.generator.of_inferred(z)

    @task("image")
    def complete(
        self, image: Image, mask: Mask, seed: Seed, num_steps: tf.Tensor | None = None
    ) -> Image:
        """Fills missing pixels by decoding what is inferred, refined under U where there is one.

        Args:
            image: [b, h, w, c] in [-1, 1]; what stands at missing pixels does not matter.
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2], or a whole number; other seeds give other completions.
            num_steps: sampling steps under U, not negative; None takes the model's own number.

        Returns:
            [b, h, w, c], in [-1, 1] where it was missing; known pixels stay as they are.

        Example:
            >>> completed = model.complete(image, mask, seed=0)
        """
        # -1 for the steps under U, since the rounds of inference fold in their numbers from 0
        return self.complete_by(image, mask, seed, random.fold_in(seed, -1), num_steps)

    def complete_by(
        self, image: Image, mask: Mask, latents: Seed, refining: Seed, num_steps=None
    ) -> Image:
        """Fills missing pixels as `complete` does.

        Args: as there, but for two seeds in the place of one, or given noise:
            latents: of the latents that are inferred, [rounds, ...].
            refining: of the steps under U, [steps, h, w, c].
        """
        known, posterior = mask * image, self._posterior_of("complete")

        def infer(x, number):
            return posterior.sample(x, random.fold_in(latents, number), mask)

        decode, rounds = self.generator.of_inferred, self.completion_rounds
        x = completion.filled(decode, infer, image, mask, rounds=rounds)
        if self.energy_net is not None:
            energy = energies.clamped(self.energy_fn(), known, mask)
            x = self.refine(energy, x, refining, num_steps)
        return known + (1 - mask) * portability.clip(x, -1.0, 1.0)

    @task("image", "spread")
    def uncertainty(
        self,
        image: Image,
        mask: Mask,
        seed: Seed,
        draws: tf.Tensor,
        num_steps: tf.Tensor | None = None,
    ) -> tuple[Image, tf.Tensor]:
        """Computes the mean of several completions of each image, and how far they differ.

        Args:
            image: [b, h, w, c].
            mask: [b, h, w, 1], 1 where a pixel is known.
            seed: int32 [2].
            draws: completions of each image, at least 2.
            num_steps: sampling steps under U.

        Returns:
            The mean and the spread, see `completion.mean_and_spread`.
        """
        if num_steps is not None and tf.convert_to_tensor(num_steps).shape.rank:
            num_steps = tf.repeat(num_steps, draws)
        # an image's draws stand together, as shares of several seeds do: its seed draws them all
        images, masks = tf.repeat(image, draws, 0), tf.repeat(mask, draws, 0)
        several = self.complete(images, masks, seed, num_steps)
        several = tf.reshape(several, (-1, draws, *self.image_shape))
        return completion.mean_and_spread(several, image, mask)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "temperature": self.temperature,
            "sigma": self.sigma,
            "inference_sampling": self.inference_sampling and self.inference_sampling.get_config(),
            "completion_rounds": self.completion_rounds,
        }

    @classmethod
    def from_config(cls, config):
        given = dict(config)
        inferring = given.pop("inference_sampling")
        given["inference_sampling"] = inferring and Sampling.from_config(inferring)
        return super().from_config(given)

    def _generate(self, latent_shape, seed: Seed, num_steps: tf.Tensor | None) -> Image:
        start_seed, run_seed = random.split(seed)
        x = self.decode(random.normal(latent_shape, start_seed))
        if self.energy_net is None:
            return x
        x = self.refine(self.energy_fn(), x, run_seed, num_steps)
        return portability.clip(x, -1.0, 1.0)

    def refine(self, energy: EnergyFn, x: Image, seed: Seed, num_steps=None) -> Image:
        """Moves images under an energy by the model's own kernel.

        Args:
            energy: U / T, of this model or with known pixels clamped.
            x: [b, h, w, c].
            seed: int32 [2], or given noise.
            num_steps: None takes the model's own number.
        """
        if self.sampling is None:
            return x
        steps = self.sampling.steps if num_steps is None else num_steps
        return run(self.sampling.kernel, energy, x, seed, steps)[0]
