"""Posteriors of latents: how they are inferred from images, by a net or by sampling."""

import abc
import dataclasses

import keras
import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.nets.architectures.roles import GeneratorNet, InferenceNet, JointDiscriminatorNet
from tfgen.samplers import Kernel, run
from tfgen.types import Image, Latent, Mask, Seed


class Posterior(abc.ABC):
    """A way to infer latents from images."""

    @abc.abstractmethod
    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        """Returns the latents that explain images best, [b, ...].

        Args:
            image: [b, h, w, c].
            mask: [b, h, w, 1], 1 where a pixel is known; None where all are.
        """

    @abc.abstractmethod
    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        """Draws latents that may explain images, [b, ...].

        Args:
            image: [b, h, w, c].
            seed: int32 [2].
            mask: [b, h, w, 1], 1 where a pixel is known; None where all are.
        """


@dataclasses.dataclass(frozen=True)
class Amortized(Posterior):
    """The Gaussian of an inference net, q(z|x) = N(mean, diag exp(log_var)).

    It sees whatever stands at missing pixels.

    Args:
        net: images to the mean and log-variance.
    """

    net: keras.Model

    def gaussian(self, image: Image) -> tuple[Latent, Latent]:
        """Returns the mean and the log-variance of q(z|x), [b, ...] each."""
        return self.net(image, training=False)

    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        del mask
        return self.gaussian(image)[0]

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        del mask
        return reparameterized(*self.gaussian(image), seed)


@dataclasses.dataclass(frozen=True)
class Sampled(Posterior):
    """The posterior p(z|x) itself, sampled from a draw of the prior; it sees known pixels alone.

    Args:
        net: the generator.
        kernel: how latents move.
        sigma: standard deviation of p(x|z) in pixel units, positive.
        num_steps: of the kernel.
    """

    net: keras.Model
    kernel: Kernel
    sigma: float
    num_steps: int

    def mean(self, image: Image, mask: Mask | None = None) -> Latent:
        # All images have the same start, so that an answer does not depend on the place in the
        # batch. The prior's mean is no start: there a ReLU generator's gradient all but vanishes.
        with tf.init_scope():  # a constant of the graph: LiteRT draws nothing
            start = random.normal((1, *self.net.latent_shape), random.root(0)).numpy()
        start = tf.repeat(tf.constant(start), tf.shape(image)[0], 0)
        return self._run(self.kernel.noise_free(), image, start, random.root(0), mask)

    def sample(self, image: Image, seed: Seed, mask: Mask | None = None) -> Latent:
        start_seed, run_seed = random.split(seed)
        start = random.normal((tf.shape(image)[0], *self.net.latent_shape), start_seed)
        return self._run(self.kernel, image, start, run_seed, mask)

    def _run(
        self, kernel: Kernel, image: Image, start: Latent, seed: Seed, mask: Mask | None
    ) -> Latent:
        # inference mode: with batch normalization, an answer would depend on the rest of the batch
        energy = energies.posterior(self.net.of_inferred, image, self.sigma, mask)
        z, _ = run(kernel, energy, start, seed, self.num_steps)
        return z


def reparameterized(mean: Latent, log_var: Latent, seed: Seed) -> Latent:
    """Draws from N(mean, diag exp(log_var)), with gradients to both."""
    return mean + tf.exp(log_var / 2) * random.normal(tf.shape(mean), seed)


def check_latents(
    generator: GeneratorNet, other: InferenceNet | JointDiscriminatorNet, role: str = "inference"
) -> None:
    """Raises UserError unless another net has latents of the shape that the generator takes.

    Args:
        generator: takes latents.
        other: gives or takes latents.
        role: of the other net.
    """
    wanted, found = generator.latent_shape, other.latent_shape
    if found != wanted:
        raise UserError(
            f"{role}.latent_dim: expected latents of the generator's shape {wanted} and found "
            f"{found}"
        )
