"""Annealed importance sampling: chains that follow one energy as it turns into another, and their weights."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Kernel, selected
from tfgen.types import Energy, EnergyFn, Seed

ACCEPTANCE = 0.75
"""What steps are adapted to; between the best ones of few and of many leapfrog steps."""
RATE = 0.2
"""How fast they are."""


class Place(NamedTuple):
    """Chains, and what is known of where they are whatever the temperature; it serves weights and trajectories."""

    x: tf.Tensor
    u: tuple[Energy, Energy]
    """U₀ and U₁."""
    gradient: tuple[tf.Tensor, tf.Tensor]
    """Theirs."""

    def between(self, beta: tf.Tensor) -> tuple[Energy, tf.Tensor]:
        """(1 - β) U₀ + β U₁ and its gradient."""
        return tuple((1 - beta) * first + beta * last for first, last in (self.u, self.gradient))


class State(NamedTuple):
    """The chains with their log-weights, and what was met on the way."""

    place: Place
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

    @property
    def x(self) -> tf.Tensor:
        """The chains."""
        return self.place.x


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

    Source: Neal, Annealed importance sampling, 2001, and MCMC using Hamiltonian dynamics, 2011.
    """

    first: EnergyFn
    beta: tf.Tensor
    step_size: tf.Tensor
    num_leapfrog_steps: int = 4
    adapt: bool | tf.Tensor = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        none = tf.zeros_like(self.step_size)
        place = self._place(energy, x)
        return State(
            place, tf.zeros(tf.shape(x)[:1]), tf.constant(0), self.step_size[0], none, none, none
        )

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        i, (u_first, u_last) = state.number, state.place.u
        difference, beta = u_last - u_first, self.beta[i + 1]
        log_weight = state.log_weight - (beta - self.beta[i]) * difference
        step_size = tf.where(self.adapt, state.step_size, self.step_size[i])
        place, acceptance = self._moved(energy, state.place, beta, step_size, seed)
        accepted = tf.reduce_mean(acceptance)
        kept = [
            tf.tensor_scatter_nd_update(row, [[i]], [value])
            for row, value in (
                (state.steps, step_size),
                (state.acceptance, accepted),
                (state.spread, tf.math.reduce_std(difference)),
            )
        ]
        adapted = step_size * tf.exp(RATE * (accepted - ACCEPTANCE))
        u, gradient = place.between(beta)
        return State(place, log_weight, i + 1, adapted, *kept), Info(
            u, energies.norm(gradient), acceptance
        )

    def _moved(
        self, energy: EnergyFn, here: Place, beta: tf.Tensor, step_size: tf.Tensor, seed: Seed
    ) -> tuple[Place, tf.Tensor]:
        """Where a trajectory of Hamiltonian Monte Carlo leads at one temperature, and how likely that is accepted."""
        draw, accept = random.split(seed)
        start = random.normal(tf.shape(here.x), draw)

        def leap(number, there, momentum):
            there = self._place(energy, there.x + step_size * momentum)
            return number + 1, there, momentum - step_size * there.between(beta)[1]

        momentum = start - step_size / 2 * here.between(beta)[1]
        unfinished = lambda number, *_: number < self.num_leapfrog_steps  # noqa: E731
        _, there, momentum = tf.while_loop(unfinished, leap, (0, here, momentum))
        momentum += step_size / 2 * there.between(beta)[1]  # the last leap took a whole step
        log_ratio = (
            here.between(beta)[0] + _kinetic(start) - there.between(beta)[0] - _kinetic(momentum)
        )
        # a trajectory to where the energy is infinite or undefined is never accepted
        log_ratio = tf.where(
            tf.math.is_finite(log_ratio), tf.minimum(log_ratio, 0.0), -float("inf")
        )
        accepted = tf.math.log(random.uniform(tf.shape(log_ratio), accept)) < log_ratio
        return selected(accepted, there, here), tf.exp(log_ratio)

    def _place(self, energy: EnergyFn, x: tf.Tensor) -> Place:
        ends = [energies.value_and_grad(u, x) for u in (self.first, energy)]
        return Place(x, *zip(*ends, strict=True))


def _kinetic(momentum: tf.Tensor) -> tf.Tensor:
    """Of each chain, [b]."""
    return tf.reduce_sum(momentum**2, axis=list(range(1, momentum.shape.rank))) / 2
