"""Adam on the image: descent whose steps have one size in every pixel."""

import dataclasses
from typing import Annotated, NamedTuple

import tensorflow as tf

from tfgen import energies
from tfgen.errors import Positive, Range
from tfgen.samplers.base import Info, Interval, Kernel, Scalar, clamp
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch, running means of its gradients and of their squares, and the steps taken."""

    x: tf.Tensor
    mean: tf.Tensor
    square: tf.Tensor
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Adam(Kernel):
    """Adam's descent: x ← x - s m / (√v + 1e-8), without noise.

    Here m and v are the bias-corrected running means of dU/dx and of its square.

    Args:
        step_size: s in units of x, positive.
        beta_1: decay of m, in [0, 1).
        beta_2: decay of v, in [0, 1).
        bounds: if given, x is clamped to this interval after each step.

    Source: Kingma and Ba, Adam, 2015, Algorithm 1; INNg, section 4.1.
    """

    step_size: Annotated[Scalar, Positive]
    beta_1: Annotated[float, Range(least=0, below=1)] = 0.5
    beta_2: Annotated[float, Range(least=0, below=1)] = 0.999
    bounds: Interval | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        del energy
        return State(x, tf.zeros_like(x), tf.zeros_like(x), tf.constant(0.0))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        del seed
        u, gradient = energies.value_and_grad(energy, state.x)
        mean = self.beta_1 * state.mean + (1 - self.beta_1) * gradient
        square = self.beta_2 * state.square + (1 - self.beta_2) * gradient**2
        count = state.count + 1
        m = mean / (1 - self.beta_1**count)
        v = square / (1 - self.beta_2**count)
        x = clamp(state.x - self.step_size * m / (tf.sqrt(v) + 1e-8), self.bounds)
        info = Info(u, energies.norm(gradient), tf.ones_like(u))
        return State(x, mean, square, count), info

    def noise_free(self) -> "Adam":
        return self

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Adam":
        del temperature
        return dataclasses.replace(self, step_size=self.step_size * step)
