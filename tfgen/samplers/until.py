"""Early stopping: a kernel that rests once the energy is low enough."""

import dataclasses
from typing import Annotated, Any, NamedTuple

import tensorflow as tf

from tfgen.errors import AtLeastOne
from tfgen.samplers.base import Info, Scalar, Wrapper, expanded
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, the last energies, which examples rest, and the steps.

    `recent` and `resting` have a column for each example, or a single one for the mean over the
    batch: [window, b] or [window, 1], and boolean [b] or [1].
    """

    x: tf.Tensor
    inner: Any
    recent: tf.Tensor
    resting: tf.Tensor
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Until(Wrapper):
    """A kernel that stops once the mean energy over a window of steps is at most a threshold.

    A step looks at the energy before it moves: where the last energy completes a window that is low
    enough, x stays where that energy was found, and stays for good. A start whose own energy is low
    enough does not move at all, whatever the window.

    Args:
        kernel: moves the batch.
        threshold: nats.
        window: the number of steps averaged over, at least 1.
        per_example: whether each example rests by its own energies; else all examples rest
            together, by the mean energy of the batch.

    Source: INNg, sections 3.3 and 4.1.
    """

    threshold: Scalar = 0.0
    window: Annotated[int, AtLeastOne] = 1
    per_example: bool = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        columns = tf.shape(x)[0] if self.per_example else 1
        recent = tf.fill([self.window, columns], tf.float32.max)
        resting = tf.fill([columns], False)
        # no step of such a kernel reports the start's energy
        if self.reports_new_point:
            resting = self._column(energy(x)) <= self.threshold
        return State(x, self.kernel.init(energy, x), recent, resting, tf.constant(0))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        inner, info = self.kernel.step(energy, state.inner, seed)
        u = self._column(info.energy)
        recent = tf.concat([state.recent[1:], u[tf.newaxis]], axis=0)
        # divided before the sum, which would overflow while the window fills
        low = tf.reduce_sum(recent / self.window, axis=0) <= self.threshold
        if not self.reports_new_point:
            low |= (state.count == 0) & (u <= self.threshold)
        # carried, so that an example at rest is not woken by the energies of the moves it ignores
        resting = state.resting | low
        # the low energy may be that of the point which this step leads to
        held = state.resting if self.reports_new_point else resting
        x = tf.where(expanded(held, state.x), state.x, inner.x)
        x = tf.ensure_shape(x, state.x.shape)
        return State(x, inner, recent, resting, state.count + 1), info

    def _column(self, energy: Energy) -> tf.Tensor:
        """Returns each example's energy, [b], or the batch's mean, [1]."""
        return energy if self.per_example else tf.reduce_mean(energy, keepdims=True)

    def finished(self, state: State) -> tf.Tensor:
        return tf.reduce_all(state.resting) | self.kernel.finished(state.inner)
