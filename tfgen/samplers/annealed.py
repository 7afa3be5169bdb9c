"""Noise of falling scale, added to the steps of another kernel."""

import dataclasses
from typing import Annotated, Any, NamedTuple

import tensorflow as tf

from tfgen import random
from tfgen.errors import NotNegative, Range
from tfgen.samplers.base import Info, Interval, Scalar, Wrapper, clamp
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the present scale of the noise."""

    x: tf.Tensor
    inner: Any
    scale: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Annealed(Wrapper):
    """A kernel whose steps are each followed by noise of a geometrically falling scale.

    Args:
        kernel: moves the batch.
        noise: the first standard deviation in units of x, not negative.
        decay: factor on the standard deviation from step to step, in (0, 1].
        bounds: if given, x is clamped to this interval after each step.

    Source: INNg, section 3.2.2: N(0, ε) with an annealed variance.
    """

    noise: Annotated[Scalar, NotNegative] = 0.01
    decay: Annotated[float, Range(above=0, most=1)] = 0.99
    bounds: Interval | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        scale = tf.convert_to_tensor(self.noise, tf.float32)
        return State(x, self.kernel.init(energy, x), scale)

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        own, noise = random.split(seed)
        inner, info = self.kernel.step(energy, state.inner, own)
        x = inner.x
        if tf.is_tensor(self.noise) or self.noise > 0:
            x += state.scale * random.normal(tf.shape(x), noise)
        x = clamp(x, self.bounds)
        return State(x, inner._replace(x=x), state.scale * self.decay), info

    def noise_free(self) -> "Annealed":
        return dataclasses.replace(self, kernel=self.kernel.noise_free(), noise=0.0)

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Annealed":
        kernel = self.kernel.scaled(step, temperature)
        noise = self.noise * step * temperature**0.5
        return dataclasses.replace(self, kernel=kernel, noise=noise)
