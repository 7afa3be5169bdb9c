"""Noise that dies away, added to the steps of a kernel that has none of its own."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen import random
from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the present scale of the noise."""

    x: tf.Tensor
    inner: Any
    scale: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Annealed(Kernel):
    """A kernel's steps, each followed by noise of a standard deviation that falls by a factor a step.

    Args:
        kernel: what moves.
        noise: the first standard deviation in units of x, not negative.
        decay: the factor, in (0, 1].
        bounds: if given, x is clamped to this interval after each step.

    Source: INNg, section 3.2.2: N(0, ε) with an annealed variance.
    """

    kernel: Kernel
    noise: float = 0.01
    decay: float = 0.99
    bounds: tuple[float, float] | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        return State(x, self.kernel.init(energy, x), tf.constant(self.noise))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        own, noise = random.split(seed)
        inner, info = self.kernel.step(energy, state.inner, own)
        x = inner.x + state.scale * random.normal(tf.shape(inner.x), noise)
        if self.bounds is not None:
            x = tf.clip_by_value(x, *self.bounds)
        return State(x, inner._replace(x=x), state.scale * self.decay), info

    def finished(self, state: State) -> tf.Tensor:
        return self.kernel.finished(state.inner)
