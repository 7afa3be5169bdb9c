"""How latents are inferred from images: by a net, or by sampling."""

import abc
import dataclasses

import keras
import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.samplers import Langevin, run
from tfgen.types import Image, Latent, Mask, Seed


class Posterior(abc.ABC):
    """How latent vectors are inferred from images."""

    @abc.abstractmethod
    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        """The latents that explain images best, [b, ...]."""

    @abc.abstractmethod
    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        """Latents that may explain images, [b, ...]; the mask is 1 where a pixel is known."""


@dataclasses.dataclass(frozen=True)
class Amortized(Posterior):
    """By an inference net: q(z|x) = N(mean, diag exp(log_var)). It sees whatever stands at missing pixels."""

    net: keras.Model

    def gaussian(self, image: Image) -> tuple[Latent, Latent]:
        """The mean and the log-variance of q(z|x), [b, ...] each."""
        return self.net(image, training=False)

    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        del mask
        return self.gaussian(image)[0]

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        del mask
        return reparameterized(*self.gaussian(image), seed)


@dataclasses.dataclass(frozen=True)
class Sampled(Posterior):
    """By Langevin dynamics on p(z|x), from a draw of the prior. It looks at known pixels alone.

    Attributes:
        net: the generator.
        kernel: how latents move.
        sigma: standard deviation of p(x|z) in pixel units.
        num_steps: of the kernel.
    """

    net: keras.Model
    kernel: Langevin
    sigma: float
    num_steps: int

    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        # from the same start for all: what is inferred from an image does not depend on its place in the batch.
        # The prior's mean is no start: at zero a ReLU generator's gradient all but vanishes
        start = tf.repeat(
            random.normal((1, *self.net.latent_shape), random.root(0)), tf.shape(image)[0], 0
        )
        return self._run(
            dataclasses.replace(self.kernel, temperature=0.0), image, start, random.root(0), mask
        )

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        start_seed, run_seed = random.split(seed)
        start = random.normal((tf.shape(image)[0], *self.net.latent_shape), start_seed)
        return self._run(self.kernel, image, start, run_seed, mask)

    def _run(
        self, kernel: Langevin, image: Image, start: Latent, seed: Seed, mask: Mask | None
    ) -> Latent:
        energy = energies.posterior(energies.frozen(self.net), image, self.sigma, mask)
        z, _ = run(kernel, energy, start, seed, self.num_steps)
        return z


def reparameterized(mean: Latent, log_var: Latent, seed: Seed) -> Latent:
    """A draw of N(mean, diag exp(log_var)), with gradients to both."""
    return mean + tf.exp(log_var / 2) * random.normal(tf.shape(mean), seed)


def check_latents(
    generator: keras.Model, inference: keras.Model, image_shape: tuple[int, ...]
) -> None:
    """Raises UserError unless inference gives latents of the shape that the generator takes."""
    wanted = tuple(generator.latent_shape)
    inferred = tuple(inference(tf.zeros((1, *image_shape)), training=False)[0].shape[1:])
    if inferred != wanted:
        raise UserError(
            f"inference.latent_dim: expected latents of the generator's shape {wanted} and found "
            f"{inferred}"
        )
