"""Noise-free descent to a local mode."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies
from tfgen.samplers.base import Info, Kernel
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch, its energies and gradients, and each example's own step."""

    x: tf.Tensor
    u: Energy
    gradient: tf.Tensor
    step_size: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Descent(Kernel):
    """Gradient steps x ← x - s dU/dx with s halved, per example, when the energy would rise.

    An example rests when its gradient norm is at most `tolerance`, or when its step fell below
    `min_step` of the first: then it sits where the energy has no slope zero, such as on a kink.

    Args:
        step_size: the first (and largest) s in units of x², positive. Under white noise of standard
            deviation σ, s = σ² jumps to the mean of the present Gaussian piece.
        tolerance: the gradient norm that ends the descent, not negative.
        min_step: the smallest step tried, as a fraction of `step_size`.
        bounds: if given, x stays in this interval; what would lead out of it is no slope.

    Source: A Theory of Generative ConvNet, Proposition 2.
    """

    step_size: float
    tolerance: float = 0.0
    min_step: float = 1e-6
    bounds: tuple[float, float] | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        u, gradient = self._downhill(energy, x)
        return State(x, u, gradient, tf.fill(tf.shape(u), tf.cast(self.step_size, u.dtype)))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        del seed
        each = [-1] + [1] * (state.x.shape.rank - 1)
        resting = self._resting(state)
        x = state.x - tf.reshape(state.step_size, each) * state.gradient
        if self.bounds is not None:
            x = tf.clip_by_value(x, *self.bounds)
        u, gradient = self._downhill(energy, x)
        # where float32 cannot tell the energies apart, the gradient tells which point is nearer the mode
        alike = tf.abs(u - state.u) <= 1e-6 * tf.maximum(tf.abs(state.u), 1.0)
        flatter = energies.norm(gradient) <= energies.norm(state.gradient)
        downhill = tf.where(alike, flatter, u < state.u)
        moved = downhill & ~resting
        step_size = tf.where(
            downhill, tf.minimum(2 * state.step_size, self.step_size), state.step_size / 2
        )
        state = State(
            tf.where(tf.reshape(moved, each), x, state.x),
            tf.where(moved, u, state.u),
            tf.where(tf.reshape(moved, each), gradient, state.gradient),
            tf.where(resting, state.step_size, step_size),
        )
        return state, Info(state.u, energies.norm(state.gradient), tf.cast(downhill, tf.float32))

    def finished(self, state: State) -> tf.Tensor:
        return tf.reduce_all(self._resting(state))

    def _downhill(self, energy: EnergyFn, x: tf.Tensor) -> tuple[Energy, tf.Tensor]:
        """The energy, and its gradient less what leads out of the bounds."""
        u, gradient = energies.value_and_grad(energy, x)
        if self.bounds is not None:
            low, high = self.bounds
            outward = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
            gradient = tf.where(outward, 0.0, gradient)
        return u, gradient

    def _resting(self, state: State) -> tf.Tensor:
        axes = list(range(1, state.x.shape.rank))
        flat = tf.reduce_sum(state.gradient**2, axis=axes) <= self.tolerance**2
        return flat | (state.step_size < self.min_step * self.step_size)
