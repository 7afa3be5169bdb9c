"""Step sizes tuned to an acceptance probability."""

import dataclasses
from typing import Annotated, Any, NamedTuple

import tensorflow as tf

from tfgen.errors import AtLeastOne, Range, UserError
from tfgen.samplers.base import Info, Kernel, Scalar, Wrapper
from tfgen.types import EnergyFn, Integer, Seed


class State(NamedTuple):
    """The batch, the kernel's own state, the log of the factor on its step, and the steps taken."""

    x: tf.Tensor
    inner: Any
    log_factor: tf.Tensor
    count: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Adapted(Wrapper):
    """A Metropolis-corrected kernel that tunes its step size while it warms up.

    After the warm-up the step size stays, so that the density is left exactly invariant again. The
    factor found is `exp(state.log_factor)` of the state that `run_from_state` returns.

    Args:
        kernel: MALA or HMC; its step size is the first that is tried.
        num_steps: of the warm-up, at least 1.
        target: the acceptance probability aimed at, in (0, 1); None takes the kernel's best.

    Raises:
        UserError: if the kernel never rejects.
    """

    num_steps: Annotated[int, AtLeastOne]
    target: Annotated[float | None, Range(above=0, below=1)] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel.target_acceptance == 1:
            raise UserError(
                "kernel: expected one with a Metropolis correction to adapt and found "
                f"{type(self.kernel).__name__}, which never rejects"
            )

    @property
    def target_acceptance(self) -> float:
        return self.kernel.target_acceptance if self.target is None else self.target

    def noise_free(self) -> Kernel:
        return self.kernel.noise_free()  # there is no acceptance to adapt to

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        inner = self.kernel.init(energy, x)
        return State(inner.x, inner, tf.constant(0.0), tf.constant(0))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        factor = tf.exp(state.log_factor)
        inner, info = self.kernel.scaled(step=factor).step(energy, state.inner, seed)
        acceptance = tf.reduce_mean(info.acceptance)
        tuned = adapt(factor, acceptance, self.target_acceptance, state.count)
        log_factor = tf.where(state.count < self.num_steps, tf.math.log(tuned), state.log_factor)
        return State(inner.x, inner, log_factor, state.count + 1), info


def adapt(step_size: Scalar, acceptance: Scalar, target: float, count: Integer) -> tf.Tensor:
    """Returns the step size to try next, given how often the present one was accepted.

    The logarithm moves by r (acceptance - target). The rate r falls as (1 + count / 10)^-0.75, so
    that the step size converges under noisy acceptances (Robbins and Monro). Where the energy goes
    on changing, as in training, a count that is held at some number keeps the step size following.

    Args:
        step_size: the present one, positive; a scalar.
        acceptance: the mean acceptance probability that it had, in [0, 1].
        target: the acceptance probability aimed at, in (0, 1]: see `Kernel.target_acceptance`. A
            kernel that never rejects has a target and an acceptance of 1, and keeps its step size.
        count: adaptations made before this one, not negative.

    Returns:
        A float32 scalar.

    Example:
        ```python
        kernel = dataclasses.replace(kernel, step_size=step_size.value)
        x, summary = samplers.run(kernel, energy, x, seed, num_steps)
        acceptance = tf.reduce_mean(summary.mean.acceptance)
        count = tf.minimum(updates, 100)
        step_size.assign(samplers.adapt(step_size.value, acceptance, 0.574, count))
        ```

    Source: Robbins and Monro, A stochastic approximation method, 1951; Andrieu and Thoms, A
        tutorial on adaptive MCMC, 2008, section 5.1.
    """
    rate = (1 + tf.cast(count, tf.float32) / 10) ** -0.75
    return step_size * tf.exp(rate * (acceptance - target))
