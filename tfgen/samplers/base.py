"""What a Markov kernel is, and the loops that run it."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen import hoisting, random
from tfgen.types import Energy, EnergyFn, Seed


class Info(NamedTuple):
    """What one step tells of each example: [b] each."""

    energy: Energy
    """U where the step evaluated it, in nats."""
    grad_norm: tf.Tensor
    """|dU/dx| there."""
    acceptance: tf.Tensor
    """The probability of having been accepted; 1 for kernels that never reject."""


class Summary(NamedTuple):
    """A run's Infos, reduced while it runs."""

    last: Info
    mean: Info
    max: Info
    num_steps: tf.Tensor
    """Steps taken: fewer than asked when the kernel's stopping rule was met."""
    kept: tf.Tensor
    """Every `keep_every`-th x, [kept, b, ...]; empty unless asked for."""


class Kernel(abc.ABC):
    """A way to move a batch under an energy. Subclasses are frozen dataclasses of their constants."""

    @abc.abstractmethod
    def init(self, energy: EnergyFn, x: tf.Tensor) -> Any:
        """The first state: a NamedTuple whose field x is the batch [b, ...]."""

    @abc.abstractmethod
    def step(self, energy: EnergyFn, state: Any, seed: Seed) -> tuple[Any, Info]:
        """One move of every example, independently."""

    def finished(self, state: Any) -> tf.Tensor:
        """Whether no example would move any more: a boolean scalar."""
        del state
        return tf.constant(False)


def selected(accepted: tf.Tensor, proposal: Any, state: Any) -> Any:
    """Each example's proposal or present state.

    Args:
        accepted: boolean [b].
        proposal: tensors [b, ...] in any structure.
        state: the same.

    Returns:
        The same.
    """

    def one(new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
        condition = tf.reshape(accepted, [-1] + [1] * (new.shape.rank - 1))
        return tf.ensure_shape(tf.where(condition, new, old), old.shape)

    return tf.nest.map_structure(one, proposal, state)


class _Counted(NamedTuple):
    """The batch, the kernel's own state, and the steps taken."""

    x: tf.Tensor
    inner: Any
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class _Apiece(Kernel):
    """A kernel's steps, of which each example follows only the first so many, a number of its own."""

    kernel: Kernel
    num_steps: tf.Tensor

    def init(self, energy: EnergyFn, x: tf.Tensor) -> _Counted:
        return _Counted(x, self.kernel.init(energy, x), tf.zeros([], self.num_steps.dtype))

    def step(self, energy: EnergyFn, state: _Counted, seed: Seed) -> tuple[_Counted, Info]:
        inner, info = self.kernel.step(energy, state.inner, seed)
        moving = tf.reshape(state.count < self.num_steps, [-1] + [1] * (state.x.shape.rank - 1))
        x = tf.ensure_shape(tf.where(moving, inner.x, state.x), state.x.shape)
        return _Counted(x, inner, state.count + 1), info

    def finished(self, state: _Counted) -> tf.Tensor:
        return self.kernel.finished(state.inner)


def run(
    kernel: Kernel,
    energy: EnergyFn,
    x: tf.Tensor,
    seed: Seed,
    num_steps: int | tf.Tensor,
    keep_every: int = 0,
) -> tuple[tf.Tensor, Summary]:
    """Moves a batch for a number of steps, or until the kernel says that it is finished.

    Memory does not grow with the number of steps unless `keep_every` asks for a trajectory. No gradient
    flows through the run.

    Args:
        kernel: how to move.
        energy: U, the same at every step.
        x: the start, [b, ...].
        seed: int32 [2], or several; step i draws from `fold_in(seed, i)`.
        num_steps: the most steps to take, not negative; or each example's own, [b].
        keep_every: keep x after each so many steps; 0 keeps none.

    Returns:
        The last x, [b, ...], and the Summary.
    """
    num_steps = tf.convert_to_tensor(num_steps)
    if num_steps.shape.rank:
        kernel, num_steps = _Apiece(kernel, num_steps), tf.reduce_max(num_steps)
    state, summary = evolve(
        kernel, energy, kernel.init(energy, tf.stop_gradient(x)), seed, num_steps, keep_every
    )
    return state.x, summary


def evolve(
    kernel: Kernel,
    energy: EnergyFn,
    state: Any,
    seed: Seed,
    num_steps: int | tf.Tensor,
    keep_every: int = 0,
) -> tuple[Any, Summary]:
    """`run` from a kernel's state to its state, for those who want more of it than x.

    Args:
        kernel: how to move.
        energy: U, the same at every step.
        state: the kernel's.
        seed: int32 [2]; step i draws from `fold_in(seed, i)`.
        num_steps: the most steps to take, not negative.
        keep_every: keep x after each so many steps; 0 keeps none.

    Returns:
        The last state and the Summary.
    """
    x = state.x
    zero = tf.zeros(tf.shape(x)[:1])
    start = Info(zero, zero, zero)
    kept = tf.TensorArray(
        x.dtype, size=0, dynamic_size=True, element_shape=x.shape, clear_after_read=False
    )

    def unfinished(i, state, last, total, largest, kept):
        del last, total, largest, kept
        return (i < num_steps) & ~kernel.finished(state)

    def body(i, state, last, total, largest, kept):
        del last
        state, info = kernel.step(energy, state, random.fold_in(seed, i))
        total = tf.nest.map_structure(tf.add, total, info)
        largest = tf.nest.map_structure(tf.maximum, largest, info)
        if keep_every:
            kept = tf.cond(
                (i + 1) % keep_every == 0,
                lambda: kept.write(kept.size(), state.x),
                lambda: kept.identity(),
            )
        return i + 1, state, info, total, largest, kept

    lowest = tf.nest.map_structure(lambda t: t + t.dtype.min, start)
    with hoisting.around_loop():  # weights stand still
        i, state, last, total, largest, kept = tf.while_loop(
            unfinished,
            body,
            (tf.constant(0), state, start, start, lowest, kept),
            parallel_iterations=1,
        )
    count = tf.cast(tf.maximum(i, 1), tf.float32)
    mean = tf.nest.map_structure(lambda t: t / count, total)
    trajectory = kept.stack() if keep_every else x[tf.newaxis][:0]
    return tf.nest.map_structure(
        tf.stop_gradient, (state, Summary(last, mean, largest, i, trajectory))
    )


def run_in_turn(
    stage: Callable[[tf.Tensor], tuple[Kernel, EnergyFn]],
    x: tf.Tensor,
    seed: Seed,
    stages: int | tf.Tensor,
    num_steps: int | tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Moves a batch by one kernel and energy after the other.

    Args:
        stage: the kernel and the energy of a stage, given its number from 0, a scalar.
        x: the start, [b, ...].
        seed: int32 [2]; stage a draws from `fold_in(seed, a)`.
        stages: how many.
        num_steps: the most steps of each.

    Returns:
        The last x, [b, ...], and the steps taken in all.
    """

    def body(a, x, taken):
        end, summary = run(*stage(a), x, random.fold_in(seed, a), num_steps)
        return a + 1, tf.ensure_shape(end, x.shape), taken + summary.num_steps

    start = (tf.constant(0), tf.stop_gradient(x), tf.constant(0))
    _, x, taken = tf.while_loop(lambda a, *_: a < stages, body, start, parallel_iterations=1)
    return x, taken
