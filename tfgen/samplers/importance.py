"""Annealed importance sampling: chains that follow one energy as it turns into another, and their weights."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen.samplers.base import Info, Kernel
from tfgen.samplers.hmc import HMC
from tfgen.types import EnergyFn, Seed

ACCEPTANCE = 0.75
"""What steps are adapted to; between the best ones of few and of many leapfrog steps."""
RATE = 0.2
"""How fast they are."""


class State(NamedTuple):
    """The chains with their log-weights, and what was met on the way."""

    x: tf.Tensor
    log_weight: tf.Tensor
    number: tf.Tensor
    """Of the next temperature."""
    step_size: tf.Tensor
    """Adapted so far."""
    steps: tf.Tensor
    """The step at each temperature, [temperatures]."""
    acceptance: tf.Tensor
    """The mean acceptance at each, [temperatures]."""
    spread: tf.Tensor
    """The standard deviation of U₁ - U₀ over the chains as each was reached, [temperatures]."""


@dataclasses.dataclass(frozen=True)
class AnnealedImportance(Kernel):
    """One temperature a step, from exp(-U₀) to exp(-U₁): weigh, then move under (1 - β) U₀ + β U₁.

    The mean of the weights after all steps is an unbiased estimate of Z₁ / Z₀ if steps are not adapted.

    Args:
        first: U₀, which the chains start from.
        beta: 0 to 1, [temperatures + 1].
        step_size: of Hamiltonian Monte Carlo at each temperature, [temperatures], in units of x.
        num_leapfrog_steps: gradients a temperature.
        adapt: let the step of each temperature follow from the acceptance at the one before, from `step_size[0]` on.

    Source: Neal, Annealed importance sampling, 2001.
    """

    first: EnergyFn
    beta: tf.Tensor
    step_size: tf.Tensor
    num_leapfrog_steps: int = 4
    adapt: bool | tf.Tensor = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        del energy
        none = tf.zeros_like(self.step_size)
        return State(x, tf.zeros(tf.shape(x)[:1]), tf.constant(0), self.step_size[0], none, none, none)

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        i, x = state.number, state.x
        difference = energy(x) - self.first(x)
        log_weight = state.log_weight - (self.beta[i + 1] - self.beta[i]) * difference
        step_size = tf.where(self.adapt, state.step_size, self.step_size[i])
        kernel, between = HMC(step_size, self.num_leapfrog_steps), self._between(energy, self.beta[i + 1])
        moved, info = kernel.step(between, kernel.init(between, x), seed)
        accepted = tf.reduce_mean(info.acceptance)
        kept = [
            tf.tensor_scatter_nd_update(row, [[i]], [value])
            for row, value in (
                (state.steps, step_size),
                (state.acceptance, accepted),
                (state.spread, tf.math.reduce_std(difference)),
            )
        ]
        adapted = step_size * tf.exp(RATE * (accepted - ACCEPTANCE))
        return State(moved.x, log_weight, i + 1, adapted, *kept), info

    def _between(self, energy: EnergyFn, beta: tf.Tensor) -> EnergyFn:
        return lambda x: (1 - beta) * self.first(x) + beta * energy(x)
