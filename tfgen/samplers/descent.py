"""Noise-free descent to a local mode."""

import dataclasses
from typing import Annotated, NamedTuple

import tensorflow as tf

from tfgen import energies
from tfgen.errors import NotNegative, Positive, Range
from tfgen.samplers.base import Info, Interval, Kernel, Scalar, clamp, expanded, selected
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch, its energies and gradients, and each example's own step."""

    x: tf.Tensor
    u: Energy
    gradient: tf.Tensor
    step_size: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Descent(Kernel):
    """Gradient descent x ← x - s dU/dx with s halved, per example, when the energy would rise.

    An example rests when its gradient norm is at most `tolerance`, or when its step fell below
    `min_step` of the first: then it sits where the energy has no slope zero, such as on a kink.

    Args:
        step_size: the first (and largest) s in units of x², positive. Under white noise of standard
            deviation σ, s = σ² jumps to the mean of the present Gaussian piece.
        tolerance: the gradient norm that ends the descent, not negative.
        min_step: the smallest step tried, as a fraction of `step_size`, above 0 and at most 1.
        bounds: if given, x stays in this interval, and slopes that lead out of it count as zero.

    Source: A Theory of Generative ConvNet, Proposition 2.
    """

    step_size: Annotated[Scalar, Positive]
    tolerance: Annotated[float, NotNegative] = 0.0
    min_step: Annotated[float, Range(above=0, most=1)] = 1e-6
    bounds: Interval | None = None

    @property
    def reports_new_point(self) -> bool:
        return True

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        u, gradient = self._downhill(energy, x)
        return State(x, u, gradient, tf.fill(tf.shape(u), tf.cast(self.step_size, u.dtype)))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        del seed
        resting = self._resting(state)
        x = state.x - expanded(state.step_size, state.x) * state.gradient
        x = clamp(x, self.bounds)
        u, gradient = self._downhill(energy, x)
        # where float32 cannot tell the energies apart, the flatter point is nearer the mode
        alike = tf.abs(u - state.u) <= 1e-6 * tf.maximum(tf.abs(state.u), 1.0)
        flatter = energies.norm(gradient) <= energies.norm(state.gradient)
        downhill = tf.where(alike, flatter, u < state.u)
        grown = tf.minimum(2 * state.step_size, self.step_size)
        step_size = tf.where(downhill, grown, state.step_size / 2)
        step_size = tf.where(resting, state.step_size, step_size)

        here = (state.x, state.u, state.gradient)
        x, u, gradient = selected(downhill & ~resting, (x, u, gradient), here)
        state = State(x, u, gradient, step_size)
        return state, Info(state.u, energies.norm(state.gradient), tf.cast(downhill, tf.float32))

    def finished(self, state: State) -> tf.Tensor:
        return tf.reduce_all(self._resting(state))

    def noise_free(self) -> "Descent":
        return self

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Descent":
        del temperature
        return dataclasses.replace(self, step_size=self.step_size * step)

    def _downhill(self, energy: EnergyFn, x: tf.Tensor) -> tuple[Energy, tf.Tensor]:
        """Computes the energy, and its gradient without what leads out of the bounds."""
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
