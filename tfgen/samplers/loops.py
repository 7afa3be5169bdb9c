"""The loops that run kernels."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfgen import hoisting, random
from tfgen.samplers.base import Info, Kernel, Wrapper, selected
from tfgen.types import Array, EnergyFn, Integer, Seed


class Summary(NamedTuple):
    """The Infos of a run, reduced over its steps."""

    last: Info
    mean: Info
    max: Info
    num_steps: tf.Tensor
    """Steps taken: fewer than asked for when the kernel's stopping rule was met."""
    kept: tf.Tensor
    """Every `keep_every`-th x, [kept, b, ...]; empty unless asked for."""


class _Totals(NamedTuple):
    """The Infos of the steps taken so far: the last, their sum, and their maximum."""

    last: Info
    total: Info
    largest: Info

    @classmethod
    def before(cls, x: tf.Tensor) -> "_Totals":
        """Returns the totals of no steps."""
        zero = tf.zeros(tf.shape(x)[:1])
        lowest = zero + zero.dtype.min
        return cls(Info(zero, zero, zero), Info(zero, zero, zero), Info(lowest, lowest, lowest))

    def after(self, info: Info) -> "_Totals":
        """Returns the totals after one step more."""
        total = tf.nest.map_structure(tf.add, self.total, info)
        largest = tf.nest.map_structure(tf.maximum, self.largest, info)
        return _Totals(info, total, largest)

    def summary(self, num_steps: tf.Tensor, kept: tf.Tensor) -> Summary:
        """Returns the summary of a run of this many steps."""
        count = tf.cast(tf.maximum(num_steps, 1), tf.float32)
        mean = tf.nest.map_structure(lambda total: total / count, self.total)
        return Summary(self.last, mean, self.largest, num_steps, kept)


class _Counted(NamedTuple):
    """The batch, the kernel's own state, and the steps taken."""

    x: tf.Tensor
    inner: Any
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class _PerExample(Wrapper):
    """A kernel that stops each example after its own number of steps, [b]."""

    num_steps: tf.Tensor

    def init(self, energy: EnergyFn, x: tf.Tensor) -> _Counted:
        return _Counted(x, self.kernel.init(energy, x), tf.zeros([], self.num_steps.dtype))

    def step(self, energy: EnergyFn, state: _Counted, seed: Seed) -> tuple[_Counted, Info]:
        inner, info = self.kernel.step(energy, state.inner, seed)
        x = selected(state.count < self.num_steps, inner.x, state.x)
        return _Counted(x, inner, state.count + 1), info


def run(
    kernel: Kernel,
    energy: EnergyFn,
    x: Array,
    seed: Seed,
    num_steps: Integer,
    keep_every: int = 0,
) -> tuple[tf.Tensor, Summary]:
    """Moves a batch for a number of steps, or until the kernel's stopping rule is met.

    Memory does not grow with the number of steps unless `keep_every` asks for a trajectory. No
    gradient flows through the run.

    Args:
        kernel: moves the batch.
        energy: U, the same at every step.
        x: the start, [b, ...].
        seed: int32 [2], or several, [s, 2]; step i draws from `fold_in(seed, i)`.
        num_steps: the most steps to take, not negative; or each example's own, [b].
        keep_every: keeps x after each so many steps; 0 keeps none.

    Returns:
        The last x, [b, ...], and the Summary.

    Example:
        ```python
        image, summary = run(Langevin(0.01), energy, start, random.root(0), num_steps=100)
        ```
    """
    num_steps = tf.convert_to_tensor(num_steps)
    if num_steps.shape.rank:
        kernel, num_steps = _PerExample(kernel, num_steps), tf.reduce_max(num_steps)
    start = kernel.init(energy, tf.stop_gradient(tf.convert_to_tensor(x)))
    state, summary = run_from_state(kernel, energy, start, seed, num_steps, keep_every)
    return state.x, summary


def run_from_state(
    kernel: Kernel,
    energy: EnergyFn,
    state: Any,
    seed: Seed,
    num_steps: Integer,
    keep_every: int = 0,
) -> tuple[Any, Summary]:
    """Runs a kernel from a state of its own to a state: `run` for callers who need more than x.

    Args:
        kernel: moves the batch.
        energy: U, the same at every step.
        state: the kernel's, from `Kernel.init` or from an earlier run.
        seed: int32 [2], or several, [s, 2]; step i draws from `fold_in(seed, i)`.
        num_steps: the most steps to take, not negative.
        keep_every: keeps x after each so many steps; 0 keeps none.

    Returns:
        The last state and the Summary.
    """

    def unfinished(i, state, totals, kept):
        del totals, kept
        return (i < num_steps) & ~kernel.finished(state)

    def body(i, state, totals, kept):
        state, info = kernel.step(energy, state, random.fold_in(seed, i))
        if keep_every:
            kept = tf.cond(
                (i + 1) % keep_every == 0,
                lambda: kept.write(kept.size(), state.x),
                lambda: kept.identity(),
            )
        return i + 1, state, totals.after(info), kept

    x = state.x
    # without a trajectory the loop carries none, which LiteRT could not hold
    kept: Any = ()
    if keep_every:
        kept = tf.TensorArray(
            x.dtype, size=0, dynamic_size=True, element_shape=x.shape, clear_after_read=False
        )
    start = (tf.constant(0), state, _Totals.before(x), kept)
    with hoisting.around_loop():  # no weight changes while a kernel runs
        i, state, totals, kept = tf.while_loop(unfinished, body, start, parallel_iterations=1)
    trajectory = kept.stack() if keep_every else x[tf.newaxis][:0]
    return tf.nest.map_structure(tf.stop_gradient, (state, totals.summary(i, trajectory)))


def run_sequence(
    stage: Callable[[tf.Tensor], tuple[Kernel, EnergyFn]],
    x: Array,
    seed: Seed,
    stages: Integer,
    num_steps: Integer,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Moves a batch by a sequence of kernels and energies, one after the other.

    Args:
        stage: returns the kernel and the energy of a stage, given its number from 0, a scalar.
        x: the start, [b, ...].
        seed: int32 [2], or several, [s, 2]; stage a draws from `fold_in(seed, a)`.
        stages: the number of stages.
        num_steps: the most steps of each stage.

    Returns:
        The last x, [b, ...], and the steps taken in all.
    """

    def body(a, x, taken):
        kernel, energy = stage(a)
        end, summary = run(kernel, energy, x, random.fold_in(seed, a), num_steps)
        return a + 1, tf.ensure_shape(end, x.shape), taken + summary.num_steps

    start = (tf.constant(0), tf.stop_gradient(tf.convert_to_tensor(x)), tf.constant(0))
    _, x, taken = tf.while_loop(lambda a, *_: a < stages, body, start, parallel_iterations=1)
    return x, taken
