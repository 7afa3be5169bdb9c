"""The Metropolis-adjusted Langevin algorithm."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Kernel, selected
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch with its energies and gradients, which a rejection keeps."""

    x: tf.Tensor
    u: Energy
    gradient: tf.Tensor


@dataclasses.dataclass(frozen=True)
class MALA(Kernel):
    """A Langevin proposal, accepted or rejected so that exp(-U / T) is left exactly invariant.

    Args:
        step_size: ε in units of x, positive.
        temperature: T, positive.

    Source: Roberts and Tweedie, Exponential convergence of Langevin distributions, 1996.
    """

    step_size: float | tf.Tensor
    temperature: float = 1.0

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        return State(x, *energies.value_and_grad(energy, x))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        propose, accept = random.split(seed)
        noise = random.normal(tf.shape(state.x), propose)
        x = self._mean(state) + self.step_size * self.temperature**0.5 * noise
        proposal = State(x, *energies.value_and_grad(energy, x))
        log_ratio = (
            (state.u - proposal.u) / self.temperature
            + self._log_proposal(state.x, proposal)
            - self._log_proposal(proposal.x, state)
        )
        # a proposal of infinite or undefined energy is never accepted
        log_ratio = tf.where(
            tf.math.is_finite(log_ratio), tf.minimum(log_ratio, 0.0), -float("inf")
        )
        accepted = tf.math.log(random.uniform(tf.shape(log_ratio), accept)) < log_ratio
        state = selected(accepted, proposal, state)
        return state, Info(state.u, energies.norm(state.gradient), tf.exp(log_ratio))

    def _mean(self, state: State) -> tf.Tensor:
        return state.x - self.step_size**2 / 2 * state.gradient

    def _log_proposal(self, x: tf.Tensor, given: State) -> tf.Tensor:
        """log N(x; mean(given), ε² T) up to a constant."""
        axes = list(range(1, x.shape.rank))
        squared = tf.reduce_sum((x - self._mean(given)) ** 2, axis=axes)
        return -squared / (2 * self.step_size**2 * self.temperature)
