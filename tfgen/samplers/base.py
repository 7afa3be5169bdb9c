"""Markov kernels, and the loops that run them."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from tfgen import hoisting, random
from tfgen.errors import check_parameters
from tfgen.types import Array, Energy, EnergyFn, Integer, Seed

Scalar: TypeAlias = float | tf.Tensor | tf.Variable
"""A constant of a kernel: a number, or a scalar tensor where it changes from run to run."""

Interval: TypeAlias = tuple[float, float]
"""The least and the largest value of every element of x."""


class Info(NamedTuple):
    """Values that one step reports for each example, [b] each."""

    energy: Energy
    """U where the step evaluated it, in nats; see `Kernel.reports_new_point`."""
    grad_norm: tf.Tensor
    """|dU/dx| at that point."""
    acceptance: tf.Tensor
    """The probability that the proposal was accepted; 1 for kernels that never reject."""


class Summary(NamedTuple):
    """The Infos of a run, reduced over its steps."""

    last: Info
    mean: Info
    max: Info
    num_steps: tf.Tensor
    """Steps taken: fewer than asked for when the kernel's stopping rule was met."""
    kept: tf.Tensor
    """Every `keep_every`-th x, [kept, b, ...]; empty unless asked for."""


class Kernel(abc.ABC):
    """A Markov kernel: moves each example of a batch under an energy.

    Subclasses are frozen dataclasses of their constants, whose ranges they declare on their fields.
    """

    def __post_init__(self) -> None:
        check_parameters(type(self), vars(self))

    @property
    def target_acceptance(self) -> float:
        """The mean acceptance at which the kernel mixes fastest; 1 if it never rejects."""
        return 1.0

    @property
    def takes_given_noise(self) -> bool:
        """Whether a step's one draw is a normal for each number of x, so that it can be given."""
        return False

    @property
    def reports_new_point(self) -> bool:
        """Whether a step's Info is of the point that it leads to, not of where it started from."""
        return False

    @abc.abstractmethod
    def init(self, energy: EnergyFn, x: tf.Tensor) -> Any:
        """Returns the first state: a NamedTuple whose field x is the batch [b, ...]."""

    @abc.abstractmethod
    def step(self, energy: EnergyFn, state: Any, seed: Seed) -> tuple[Any, Info]:
        """Moves every example once, independently of the others."""

    def finished(self, state: Any) -> tf.Tensor:
        """Returns whether no example would move any more: a boolean scalar."""
        del state
        return tf.constant(False)

    def noise_free(self) -> "Kernel":
        """Returns a kernel that makes the same moves without noise, for denoising.

        A kernel that draws no noise returns itself.
        """
        raise NotImplementedError(f"{type(self).__name__} has no noise-free form")

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Kernel":
        """Returns the kernel with its step size and its temperature multiplied by factors.

        Args:
            step: factor on the step size, positive.
            temperature: factor on the temperature, not negative; without effect on kernels that
                draw no noise.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step size or temperature to scale")


@dataclasses.dataclass(frozen=True)
class Wrapper(Kernel):
    """A kernel that changes what another does: its base class.

    The state's field `inner` is the other kernel's state, and a subclass's constants come after
    the kernel. What is not overridden is left to the other kernel.

    Args:
        kernel: moves the batch.
    """

    kernel: Kernel

    @property
    def target_acceptance(self) -> float:
        return self.kernel.target_acceptance

    @property
    def reports_new_point(self) -> bool:
        return self.kernel.reports_new_point

    def finished(self, state: Any) -> tf.Tensor:
        return self.kernel.finished(state.inner)

    def noise_free(self) -> Kernel:
        return dataclasses.replace(self, kernel=self.kernel.noise_free())

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> Kernel:
        return dataclasses.replace(self, kernel=self.kernel.scaled(step, temperature))


def clamp(x: tf.Tensor, bounds: Interval | None) -> tf.Tensor:
    """Returns x clamped to an interval, or x itself where there is none."""
    return x if bounds is None else tf.clip_by_value(x, *bounds)


def expanded(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Returns values [b] with as many axes as `like` [b, ...], so that they broadcast over it."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))


def selected(accepted: tf.Tensor, proposal: Any, state: Any) -> Any:
    """Returns each example's proposal where it is accepted, its present state elsewhere.

    Args:
        accepted: boolean [b].
        proposal: tensors [b, ...] in any structure.
        state: the same structure.

    Returns:
        The same structure.
    """

    def one(new: tf.Tensor, old: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(tf.where(expanded(accepted, new), new, old), old.shape)

    return tf.nest.map_structure(one, proposal, state)


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
    x = state.x
    zero = tf.zeros(tf.shape(x)[:1])
    start = Info(zero, zero, zero)
    lowest = tf.nest.map_structure(lambda t: t + t.dtype.min, start)
    # without a trajectory the loop carries none, which LiteRT could not hold
    kept: Any = ()
    if keep_every:
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

    with hoisting.around_loop():  # no weight changes while a kernel runs
        i, state, last, total, largest, kept = tf.while_loop(
            unfinished,
            body,
            (tf.constant(0), state, start, start, lowest, kept),
            parallel_iterations=1,
        )
    count = tf.cast(tf.maximum(i, 1), tf.float32)
    mean = tf.nest.map_structure(lambda t: t / count, total)
    trajectory = kept.stack() if keep_every else x[tf.newaxis][:0]
    summary = Summary(last, mean, largest, i, trajectory)
    return tf.nest.map_structure(tf.stop_gradient, (state, summary))


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
