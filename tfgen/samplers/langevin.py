"""Langevin dynamics without a Metropolis correction."""

import dataclasses
from typing import Annotated, NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.errors import NotNegative, Positive, check_parameters
from tfgen.samplers.base import Info, Interval, Kernel, Scalar, clamp, expanded
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch is all there is to remember."""

    x: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Langevin(Kernel):
    """Unadjusted Langevin dynamics: x ← x - ε²/2 dU/dx + ε √T z with z ~ N(0, 1).

    Its stationary density is exp(-U / T) up to a bias of the order of the step.

    Args:
        step_size: ε in units of x, positive.
        temperature: T, not negative; 0 is gradient descent.
        max_grad_norm: if given, each example's gradient is scaled down to this norm, which biases
            the density; positive.
        bounds: if given, x is clamped to this interval after each step.
        noise_scale: if given, the standard deviation of the noise in units of x, not negative. It
            stands for ε √T, and `temperature` is then ignored: see `implied_temperature`.

    Source: A Theory of Generative ConvNet, equations 10 and 19.
    """

    step_size: Annotated[Scalar, Positive]
    temperature: Annotated[Scalar, NotNegative] = 1.0
    max_grad_norm: Annotated[float | None, Positive] = None
    bounds: Interval | None = None
    noise_scale: Annotated[Scalar | None, NotNegative] = None

    @classmethod
    def from_gradient_step(
        cls,
        gradient_step: Annotated[Scalar, Positive],
        noise_scale: Scalar,
        max_grad_norm: float | None = None,
        bounds: Interval | None = None,
    ) -> "Langevin":
        """Returns dynamics whose gradient and noise have coefficients of their own.

        One step is x ← x - s dU/dx + σ z, as code for short-run sampling writes it. Its implied
        temperature is σ² / 2s.

        Args:
            gradient_step: s in units of x² per nat, positive.
            noise_scale: σ in units of x, not negative.
            max_grad_norm: as the class's.
            bounds: as the class's.

        Example:
            ```python
            Langevin.from_gradient_step(10.0, noise_scale=0.005, bounds=(-1.0, 1.0))
            ```

        Source: Du and Mordatch, Implicit generation and modeling with energy-based models, 2019.
        """
        check_parameters(cls.from_gradient_step, {"gradient_step": gradient_step})
        step_size = (2 * gradient_step) ** 0.5
        return cls(step_size, max_grad_norm=max_grad_norm, bounds=bounds, noise_scale=noise_scale)

    @property
    def implied_temperature(self) -> Scalar:
        """T of the density exp(-U / T) that the steps sample: (noise_scale / step_size)²."""
        if self.noise_scale is None:
            return self.temperature
        return (self.noise_scale / self.step_size) ** 2

    @property
    def takes_given_noise(self) -> bool:
        return True

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        del energy
        return State(x)

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        x = state.x
        u, gradient = energies.value_and_grad(energy, x)
        grad_norm = energies.norm(gradient)
        if self.max_grad_norm is not None:
            gradient *= expanded(tf.minimum(1.0, self.max_grad_norm / grad_norm), x)
        x -= self.step_size**2 / 2 * gradient
        scale = self._noise_scale()
        # a tensor's value is unknown here: where it turns out to be 0 the noise vanishes as well
        if tf.is_tensor(scale) or scale > 0:
            x += scale * random.normal(tf.shape(x), seed)
        x = tf.ensure_shape(clamp(x, self.bounds), state.x.shape)
        return State(x), Info(u, grad_norm, tf.ones_like(u))

    def noise_free(self) -> "Langevin":
        return dataclasses.replace(self, temperature=0.0, noise_scale=None)

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Langevin":
        if self.noise_scale is None:
            scaled_temperature = self.temperature * temperature
            return dataclasses.replace(
                self, step_size=self.step_size * step, temperature=scaled_temperature
            )
        # the noise follows the step, so that the implied temperature changes by its factor alone
        noise_scale = self.noise_scale * step * temperature**0.5
        return dataclasses.replace(self, step_size=self.step_size * step, noise_scale=noise_scale)

    def _noise_scale(self) -> Scalar:
        if self.noise_scale is None:
            return self.step_size * self.temperature**0.5
        return self.noise_scale
