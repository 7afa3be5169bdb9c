"""Distributions that an energy is measured against: known densities on the space of the images.

A tilted energy is a density over all numbers, and its distribution is its own white noise. An
energy without a tilt is a density of images in a box, and its distribution is the uniform one.
Where chains are clamped to the box, white noise truncated to it takes the place of white noise.
"""

import abc
import dataclasses
import math

import numpy as np
import tensorflow as tf
from scipy import special

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.types import Energy, EnergyFn, PerChannel, Seed

INSIDE = 0.9999
"""Elements nearer to a wall of the box are moved to this share of its half-width, since the wall
itself lies at infinity."""


class Distribution(abc.ABC):
    """A density that can be drawn from and whose normalizing constant is known.

    Attributes:
        bounds: the interval that every element of an image lies in, or None.
        curvature: the largest second derivative that the distribution alone gives an energy, in
            nats per squared pixel unit.
    """

    bounds: tuple[float, float] | None
    curvature: float

    @property
    def first_step_size(self) -> float:
        """The step size that samplers of an energy start from, in pixel units.

        It is a tenth of the white noise's standard deviation, and at most 0.1.
        """
        return 0.1 / math.sqrt(max(self.curvature, 1.0))

    @abc.abstractmethod
    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        """Draws images, [b, ...].

        Args:
            shape: of the batch, b included.
            seed: int32 [2], or several.
        """

    @abc.abstractmethod
    def energy(self, x: tf.Tensor) -> Energy:
        """Computes -log q(x) of images in the box, [b] in nats, the constant included."""

    @abc.abstractmethod
    def unconstrain(self, x: tf.Tensor) -> tf.Tensor:
        """Maps images to points of a space without bounds."""

    @abc.abstractmethod
    def constrain(self, y: tf.Tensor) -> tf.Tensor:
        """Maps points of the space without bounds to images: the inverse of `unconstrain`."""

    @abc.abstractmethod
    def unconstrained_energy(self, energy: EnergyFn) -> EnergyFn:
        """Returns the energy of the points y whose images follow an energy.

        It is U(constrain(y)) - log |dx / dy|: the change of variables.
        """


@dataclasses.dataclass(frozen=True)
class Gaussian(Distribution):
    """White noise, N(mean, sigma²).

    Args:
        sigma: standard deviation in pixel units, positive.
        mean: a number, or one a channel, in pixel units.

    Source: A Theory of Generative ConvNet, equation 8.
    """

    sigma: float
    mean: PerChannel = 0.0

    bounds = None

    @property
    def curvature(self) -> float:  # type: ignore[override]
        return 1 / self.sigma**2

    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        return self.mean + self.sigma * random.normal(shape, seed)

    def energy(self, x: tf.Tensor) -> Energy:
        constant = math.prod(x.shape[1:]) * math.log(self.sigma * math.sqrt(2 * math.pi))
        return energies.white_noise(self.sigma, self.mean)(x) + constant

    def unconstrain(self, x: tf.Tensor) -> tf.Tensor:
        return x

    def constrain(self, y: tf.Tensor) -> tf.Tensor:
        return y

    def unconstrained_energy(self, energy: EnergyFn) -> EnergyFn:
        return energy


class Boxed(Distribution):
    """A distribution on a box: its base class. Points without bounds are the elements' logits."""

    bounds: tuple[float, float]

    @property
    def middle(self) -> float:
        """The middle of the interval."""
        return (self.bounds[0] + self.bounds[1]) / 2

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.bounds[1] - self.bounds[0]) / 2

    def unconstrain(self, x: tf.Tensor) -> tf.Tensor:
        unit = (x - self.middle) / self.half_width
        return 2 * tf.atanh(tf.clip_by_value(unit, -INSIDE, INSIDE))

    def constrain(self, y: tf.Tensor) -> tf.Tensor:
        return self.middle + self.half_width * tf.tanh(y / 2)

    def unconstrained_energy(self, energy: EnergyFn) -> EnergyFn:
        def unconstrained(y):
            # dx/dy = (1 - tanh²(y / 2)) h / 2, whose log is log 2h - y - 2 softplus(-y), even in y
            log_slope = math.log(2 * self.half_width) - y - 2 * tf.nn.softplus(-y)
            axes = list(range(1, y.shape.rank))
            return energy(self.constrain(y)) - tf.reduce_sum(log_slope, axis=axes)

        return unconstrained


@dataclasses.dataclass(frozen=True)
class Uniform(Boxed):
    """The uniform distribution on a box.

    Args:
        bounds: the interval of every element.
    """

    bounds: tuple[float, float] = (-1.0, 1.0)

    curvature = 0.0

    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        return random.uniform(shape, seed, *self.bounds)

    def energy(self, x: tf.Tensor) -> Energy:
        constant = math.prod(x.shape[1:]) * math.log(2 * self.half_width)
        return tf.fill(tf.shape(x)[:1], constant)


@dataclasses.dataclass(frozen=True)
class TruncatedGaussian(Boxed):
    """White noise N(mean, sigma²), restricted to a box: of models whose chains are clamped to it.

    Args:
        sigma: standard deviation before the truncation, in pixel units, positive.
        mean: mean before the truncation, in pixel units: a number, or one a channel.
        bounds: the interval of every element.

    Raises:
        UserError: if the box holds too little of the white noise to be drawn from.
    """

    sigma: float
    mean: PerChannel = 0.0
    bounds: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        if not np.all(np.isfinite(self._log_mass())):
            raise UserError(
                f"mean: expected white noise that reaches the interval {self.bounds} and found "
                f"N({self.mean}, {self.sigma}²), which does not"
            )

    @property
    def curvature(self) -> float:  # type: ignore[override]
        return 1 / self.sigma**2

    def sample(self, shape: tuple[int, ...], seed: Seed) -> tf.Tensor:
        # by the inverse of the cumulative distribution, in float64: in float32 tails are too coarse
        low, high, sign = self._ends()
        low, high = special.ndtr(low), special.ndtr(high)
        fraction = tf.cast(random.uniform(shape, seed), tf.float64)
        standard = sign * tf.math.ndtri(low + fraction * (high - low))
        x = tf.cast(self.mean + self.sigma * standard, tf.float32)
        return tf.clip_by_value(x, *self.bounds)

    def energy(self, x: tf.Tensor) -> Energy:
        scale = math.log(self.sigma * math.sqrt(2 * math.pi))
        per_element = np.broadcast_to(scale + self._log_mass(), tuple(x.shape[-1:]))
        constant = math.prod(x.shape[1:-1]) * float(per_element.sum())
        return energies.white_noise(self.sigma, self.mean)(x) + constant

    def _ends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the interval's ends in standard deviations from the mean, mirrored if above it.

        Floating-point numbers are fine near 0 and coarse near 1, as are the probabilities below
        and above the mean.

        Returns:
            The lower end, the upper end, and -1 where they are mirrored, 1 elsewhere.
        """
        mean = np.asarray(self.mean, np.float64)
        low, high = ((end - mean) / self.sigma for end in self.bounds)
        above = low > 0
        return (
            np.where(above, -high, low),
            np.where(above, -low, high),
            np.where(above, -1.0, 1.0),
        )

    def _log_mass(self) -> np.ndarray:
        """Computes the log-probability that an element of white noise lies in the interval."""
        low, high, _ = self._ends()
        log_low, log_high = special.log_ndtr(low), special.log_ndtr(high)
        with np.errstate(invalid="ignore"):  # infinity less infinity is refused by the caller
            return np.asarray(log_high + np.log1p(-np.exp(log_low - log_high)))
