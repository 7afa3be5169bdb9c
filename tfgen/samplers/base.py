"""Markov kernels: what all of them have, and what changes another."""

import abc
import dataclasses
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from tfgen import portability
from tfgen.errors import check_parameters
from tfgen.types import Energy, EnergyFn, Seed

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
        """Whether a step draws one standard normal for each element of x, and nothing else.

        A caller may then give the noise in the place of a seed: see `tfgen.types.Noise`.
        """
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
    return x if bounds is None else portability.clip(x, *bounds)


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
