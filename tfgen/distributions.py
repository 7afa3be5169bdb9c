"""What an energy is measured against: a density that is known, on the space where images live.

A tilted energy lives beside its own white noise, over all numbers; an energy without one is a density only of images in
[-1, 1], beside the uniform one.
"""

import abc
import dataclasses
import math

import numpy as np
import tensorflow as tf

from tfgen import energies, random
from tfgen.types import Energy, EnergyFn, Seed


class Reference(abc.ABC):
    """A density that can be drawn from and whose constant is known.

    Attributes:
        bounds: the interval that images live in, or None.
        curvature: the largest second derivative that it alone gives an energy, in nats per squared pixel unit.
    """

    bounds: tuple[float, float] | None
    curvature: float

    @abc.abstractmethod
    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        """Images [b, ...]."""

    @abc.abstractmethod
    def energy(self, x: tf.Tensor) -> Energy:
        """-log q(x), [b], nats, its constant included."""

    @abc.abstractmethod
    def free(self, x: tf.Tensor) -> tf.Tensor:
        """Images as points of a space without bounds."""

    @abc.abstractmethod
    def image(self, y: tf.Tensor) -> tf.Tensor:
        """Points of that space as images: undoes `free`."""

    @abc.abstractmethod
    def pulled_back(self, energy: EnergyFn) -> EnergyFn:
        """The energy of points of that space whose images have this energy: U(image(y)) - log |dx / dy|."""


@dataclasses.dataclass(frozen=True)
class Gaussian(Reference):
    """White noise, N(mean, sigma²).

    Args:
        sigma: standard deviation in pixel units, positive.
        mean: a number, or one a channel, in pixel units.

    Source: A Theory of Generative ConvNet, equation 8.
    """

    sigma: float
    mean: np.ndarray | float = 0.0
    bounds = None

    @property
    def curvature(self) -> float:
        return 1 / self.sigma**2

    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        return self.mean + self.sigma * random.normal(shape, seed)

    def energy(self, x: tf.Tensor) -> Energy:
        constant = math.prod(x.shape[1:]) * math.log(self.sigma * math.sqrt(2 * math.pi))
        return energies.white_noise(self.sigma, self.mean)(x) + constant

    def free(self, x: tf.Tensor) -> tf.Tensor:
        return x

    def image(self, y: tf.Tensor) -> tf.Tensor:
        return y

    def pulled_back(self, energy: EnergyFn) -> EnergyFn:
        return energy


@dataclasses.dataclass(frozen=True)
class Uniform(Reference):
    """Every image of the box [-1, 1] alike. Points without bounds are their logits: x = tanh(y / 2)."""

    bounds = (-1.0, 1.0)
    curvature = 0.0

    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        return random.uniform(shape, seed, *self.bounds)

    def energy(self, x: tf.Tensor) -> Energy:
        return tf.fill(tf.shape(x)[:1], math.prod(x.shape[1:]) * math.log(2.0))

    def free(self, x: tf.Tensor) -> tf.Tensor:
        # pixels of exactly -1 or 1 would lie at infinity
        return 2 * tf.atanh(tf.clip_by_value(x, -0.9999, 0.9999))

    def image(self, y: tf.Tensor) -> tf.Tensor:
        return tf.tanh(y / 2)

    def pulled_back(self, energy: EnergyFn) -> EnergyFn:
        def pulled(y):
            # dx/dy = (1 - tanh²(y / 2)) / 2, whose logarithm is log 2 - y - 2 softplus(-y), even in y
            log_slope = math.log(2.0) - y - 2 * tf.nn.softplus(-y)
            return energy(self.image(y)) - tf.reduce_sum(
                log_slope, axis=list(range(1, y.shape.rank))
            )

        return pulled
