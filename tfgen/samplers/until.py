"""Early stopping: a kernel that rests once the batch has come low enough."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen.samplers.base import Info, Kernel
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the last steps' energies, [window, b], or their means, [window, 1]."""

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
        apiece: each example rests by its own energies instead, whatever the others'.

    Source: INNg, sections 3.3 and 4.1.
    """

    kernel: Kernel
    threshold: float | tf.Tensor = 0.0
    window: int = 1
    apiece: bool = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        count = tf.shape(x)[0] if self.apiece else 1
        return State(x, self.kernel.init(energy, x), tf.fill([self.window, count], tf.float32.max))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        inner, info = self.kernel.step(energy, state.inner, seed)
        u = info.energy if self.apiece else tf.reduce_mean(info.energy, keepdims=True)
        resting = tf.reshape(self._resting(state), [-1] + [1] * (state.x.shape.rank - 1))
        x = (
            tf.ensure_shape(tf.where(resting, state.x, inner.x), state.x.shape)
            if self.apiece
            else inner.x
        )
        return State(x, inner, tf.concat([state.recent[1:], u[tf.newaxis]], axis=0)), info

    def finished(self, state: State) -> tf.Tensor:
        return tf.reduce_all(self._resting(state)) | self.kernel.finished(state.inner)

    def _resting(self, state: State) -> tf.Tensor:
        # divided before the sum, which would overflow while the window fills
        return tf.reduce_sum(state.recent / self.window, axis=0) <= self.threshold
