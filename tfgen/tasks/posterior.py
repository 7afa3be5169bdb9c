"""How latents are inferred from images: by a net, or by sampling."""

import abc
import dataclasses

import keras
import tensorflow as tf

from tfgen import energies, random
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

    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        del mask
        return self.net(image, training=False)[0]

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        del mask
        mean, log_var = self.net(image, training=False)
        return reparameterized(mean, log_var, seed)


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
        return self._run(dataclasses.replace(self.kernel, temperature=0.0), image, random.root(0), mask)

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        return self._run(self.kernel, image, seed, mask)

    def _run(self, kernel: Langevin, image: Image, seed: Seed, mask: Mask | None) -> Latent:
        start_seed, run_seed = random.split(seed)
        start = random.normal((tf.shape(image)[0], *self.net.latent_shape), start_seed)
        energy = energies.posterior(energies.frozen(self.net), image, self.sigma, mask)
        z, _ = run(kernel, energy, start, run_seed, self.num_steps)
        return z


def reparameterized(mean: Latent, log_var: Latent, seed: Seed) -> Latent:
    """A draw of N(mean, diag exp(log_var)), with gradients to both."""
    return mean + tf.exp(log_var / 2) * random.normal(tf.shape(mean), seed)
