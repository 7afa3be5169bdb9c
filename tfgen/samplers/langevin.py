"""Langevin dynamics, unadjusted."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch is all there is to remember."""

    x: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Langevin(Kernel):
    """x ← x - ε²/2 dU/dx + ε √T z with z ~ N(0, 1).

    Its stationary density is exp(-U / T) up to a bias of the order of the step.

    Args:
        step_size: ε in units of x, positive.
        temperature: T, not negative; 0 is gradient descent.
        max_grad_norm: if given, each example's gradient is scaled down to this norm (biases the density).
        bounds: if given, x is clamped to this interval after each step.

    Source: A Theory of Generative ConvNet, equations 10 and 19.
    """

    step_size: float | tf.Tensor
    temperature: float = 1.0
    max_grad_norm: float | None = None
    bounds: tuple[float, float] | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        del energy
        return State(x)

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        x = state.x
        u, gradient = energies.value_and_grad(energy, x)
        grad_norm = energies.norm(gradient)
        if self.max_grad_norm is not None:
            scale = tf.minimum(1.0, self.max_grad_norm / grad_norm)
            gradient *= tf.reshape(scale, [-1] + [1] * (x.shape.rank - 1))
        x -= self.step_size**2 / 2 * gradient
        if self.temperature > 0:
            x += self.step_size * self.temperature**0.5 * random.normal(tf.shape(x), seed)
        if self.bounds is not None:
            x = tf.clip_by_value(x, *self.bounds)
        return State(tf.ensure_shape(x, state.x.shape)), Info(u, grad_norm, tf.ones_like(u))
