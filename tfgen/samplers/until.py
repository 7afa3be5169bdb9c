"""Early stopping: a kernel that rests once the batch has come low enough."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the batch's mean energies at the last steps."""

    x: tf.Tensor
    inner: Any
    recent: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Until(Kernel):
    """A kernel's steps until the batch's mean energy, averaged over a window of steps, is at most a threshold.

    Args:
        kernel: what moves.
        threshold: nats.
        window: steps, at least 1.

    Source: INNg, sections 3.3 and 4.1.
    """

    kernel: Kernel
    threshold: float | tf.Tensor = 0.0
    window: int = 1

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        return State(x, self.kernel.init(energy, x), tf.fill([self.window], tf.float32.max))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        inner, info = self.kernel.step(energy, state.inner, seed)
        recent = tf.concat([state.recent[1:], [tf.reduce_mean(info.energy)]], axis=0)
        return State(inner.x, inner, recent), info

    def finished(self, state: State) -> tf.Tensor:
        # divided before the sum, which would overflow while the window fills
        low = tf.reduce_sum(state.recent / self.window) <= self.threshold
        return low | self.kernel.finished(state.inner)
