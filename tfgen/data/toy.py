"""Toy densities in the plane, known exactly, on which samplers and models are tested.

A point (u, v) is an image of one pixel and two channels, [1, 1, 2]: every algorithm runs on it.
"""

import dataclasses
from typing import Protocol

import numpy as np
import tensorflow as tf
from scipy import stats

from tfgen.types import Energy, Image

SHAPE = (1, 1, 2)


def _points(image: Image) -> tf.Tensor:
    return tf.reshape(image, [-1, 2])


def _images(points: np.ndarray) -> np.ndarray:
    return points.reshape(-1, *SHAPE).astype(np.float32)


class Density(Protocol):
    """A density in the plane that can be sampled exactly and whose moments are known."""

    @property
    def mean(self) -> tuple[float, float]:
        """The means of the two coordinates."""

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of the coordinates, [2, 2]."""

    def energy(self, image: Image) -> Energy:
        """Computes minus the normalised log-density, [b], nats."""

    def sample(self, num: int, seed: int) -> np.ndarray:
        """Draws exact samples, float32 [num, 1, 1, 2]."""


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Correlated Gaussian.

    Args:
        mean: of the two coordinates.
        scale: standard deviation of each coordinate, positive.
        correlation: between them, in (-1, 1).
    """

    mean: tuple[float, float] = (0.1, -0.2)
    scale: float = 0.3
    correlation: float = 0.8

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of the coordinates, [2, 2]."""
        return self.scale**2 * np.array([[1, self.correlation], [self.correlation, 1]])

    def energy(self, image: Image) -> Energy:
        """Computes minus the normalised log-density, [b], nats."""
        precision = tf.constant(np.linalg.inv(self.covariance), tf.float32)
        centred = _points(image) - tf.constant(self.mean, tf.float32)
        _, log_determinant = np.linalg.slogdet(self.covariance)
        log_z = np.log(2 * np.pi) + log_determinant / 2
        squared = tf.reduce_sum(centred @ precision * centred, axis=1)
        return squared / 2 + tf.cast(log_z, tf.float32)

    def sample(self, num: int, seed: int) -> np.ndarray:
        """Draws exact samples, float32 [num, 1, 1, 2]."""
        rng = np.random.default_rng(seed)
        return _images(rng.multivariate_normal(self.mean, self.covariance, num))


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Mixture of Gaussians with equal weights and means on a circle.

    Args:
        components: number of Gaussians, at least 1.
        radius: of the circle, not negative.
        scale: standard deviation of each Gaussian, positive.
    """

    components: int = 8
    radius: float = 0.7
    scale: float = 0.08

    @property
    def means(self) -> np.ndarray:
        """The means of the Gaussians, [components, 2]."""
        angles = 2 * np.pi * np.arange(self.components) / self.components
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return self.radius * directions

    @property
    def mean(self) -> tuple[float, float]:
        """The mean of the whole mixture."""
        return tuple(self.means.mean(axis=0))

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of the whole mixture, [2, 2]."""
        between = np.cov(self.means.T, bias=True)
        return self.scale**2 * np.eye(2) + between

    def energy(self, image: Image) -> Energy:
        """Computes minus the normalised log-density, [b], nats."""
        means = tf.constant(self.means, tf.float32)
        squared = tf.reduce_sum((_points(image)[:, None] - means) ** 2, axis=2)
        variance = self.scale**2
        log_z = np.log(2 * np.pi * variance * self.components)
        log_sum = tf.reduce_logsumexp(-squared / (2 * variance), axis=1)
        return tf.cast(log_z, tf.float32) - log_sum

    def sample(self, num: int, seed: int) -> np.ndarray:
        """Draws exact samples, float32 [num, 1, 1, 2]."""
        rng = np.random.default_rng(seed)
        component = rng.integers(self.components, size=num)
        noise = rng.standard_normal((num, 2))
        return _images(self.means[component] + self.scale * noise)


@dataclasses.dataclass(frozen=True)
class PiecewiseGaussian:
    """Product over the coordinates of N(0, scale²) tilted by exp(h(a u / scale)), h a ReLU.

    Each coordinate has two truncated Gaussian pieces, one on either side of zero. This is the
    smallest generative ConvNet: two filters, each of one coordinate, without bias.

    Args:
        scale: standard deviation of the base distribution, positive.
        slope: a, in nats per unit of u / scale.
    """

    scale: float = 0.3
    slope: float = 1.5

    def _moments(self) -> tuple[float, float, float]:
        """Computes log Z, the mean and the variance of a coordinate, in units of the scale."""
        a = self.slope
        cdf, pdf = stats.norm.cdf(a), stats.norm.pdf(a)
        factor = np.exp(a**2 / 2)
        # Integrals of u⁰, u¹ and u² over the upper half, each with exp(a u) φ(u). That product is
        # exp(a²/2) φ(u - a): a normal of mean a, cut at zero.
        mass = factor * cdf
        upper_first = factor * (a * cdf + pdf)
        upper_second = factor * ((1 + a**2) * cdf + a * pdf)
        z = 0.5 + mass
        first = (upper_first - stats.norm.pdf(0)) / z
        second = (0.5 + upper_second) / z
        return np.log(z), first, second - first**2

    @property
    def mean(self) -> tuple[float, float]:
        """The means of the two coordinates."""
        return (self.scale * self._moments()[1],) * 2

    @property
    def covariance(self) -> np.ndarray:
        """The covariance of the coordinates, [2, 2]."""
        return self.scale**2 * self._moments()[2] * np.eye(2)

    def energy(self, image: Image) -> Energy:
        """Computes minus the normalised log-density, [b], nats."""
        y = _points(image) / self.scale
        log_factor, _, _ = self._moments()
        log_z = 2 * log_factor + np.log(2 * np.pi * self.scale**2)
        u = y**2 / 2 - self.slope * tf.nn.relu(y)
        return tf.reduce_sum(u, axis=1) + tf.cast(log_z, tf.float32)

    def sample(self, num: int, seed: int) -> np.ndarray:
        """Draws exact samples, float32 [num, 1, 1, 2]."""
        rng = np.random.default_rng(seed)
        a = self.slope
        upper = np.exp(a**2 / 2) * stats.norm.cdf(a)
        # first the piece, by its mass, then a point of it
        positive = rng.random((num, 2)) < upper / (0.5 + upper)
        above = stats.truncnorm.rvs(-a, np.inf, loc=a, size=(num, 2), random_state=rng)
        below = stats.truncnorm.rvs(-np.inf, 0, size=(num, 2), random_state=rng)
        return _images(self.scale * np.where(positive, above, below))


DENSITIES: dict[str, Density] = {
    "gaussian": Gaussian(),
    "mixture": Mixture(),
    "piecewise": PiecewiseGaussian(),
}
"""The densities, by the NAME in `--dataset=toy/NAME`."""
