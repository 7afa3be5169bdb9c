"""Step sizes and temperatures that fall within a run."""

import dataclasses
from typing import Annotated, Any, NamedTuple

import tensorflow as tf

from tfgen.errors import AtLeastOne, NotNegative, Positive
from tfgen.samplers.base import Info, Scalar, Wrapper
from tfgen.types import EnergyFn, Integer, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, and the steps taken."""

    x: tf.Tensor
    inner: Any
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Scheduled(Wrapper):
    """A kernel whose step size and temperature change geometrically over the steps of a run.

    Step i of n takes the kernel's step size times `step_factor_end` to the power i / (n - 1), and
    its temperature likewise. A temperature that ends at 0 falls linearly. Steps beyond the n-th
    repeat the last one.

    Args:
        kernel: moves the batch; it must have a step size and a temperature.
        num_steps: n, at least 1: from its first to its last value.
        step_factor_end: the last step size as a factor on the first, positive.
        temperature_factor_end: the last temperature as a factor on the first, not negative.

    Example:
        ```python
        Scheduled(Langevin(0.1), num_steps=60, step_factor_end=0.1, temperature_factor_end=0.0)
        ```
    """

    num_steps: Annotated[Integer, AtLeastOne]
    step_factor_end: Annotated[Scalar, Positive] = 1.0
    temperature_factor_end: Annotated[float, NotNegative] = 1.0

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        inner = self.kernel.init(energy, x)
        return State(inner.x, inner, tf.constant(0.0))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        last = tf.cast(self.num_steps, tf.float32) - 1
        fraction = tf.minimum(state.count / tf.maximum(last, 1.0), 1.0)
        kernel = self.kernel.scaled(
            step=_factor(self.step_factor_end, fraction),
            temperature=_factor(self.temperature_factor_end, fraction),
        )
        inner, info = kernel.step(energy, state.inner, seed)
        return State(inner.x, inner, state.count + 1), info


def _factor(end: Scalar, fraction: tf.Tensor) -> Scalar:
    """Returns the factor at a fraction of the way from 1 to `end`."""
    if tf.is_tensor(end):
        return end**fraction
    if end == 1:
        return 1.0  # a number, so that what does not change is not computed anew
    return 1 - fraction if end == 0 else end**fraction
