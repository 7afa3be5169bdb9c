"""The kernel of annealed importance sampling: weighs chains, then moves them at a temperature."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Kernel, selected
from tfgen.types import Energy, EnergyFn, Seed

ACCEPTANCE = 0.75
"""The acceptance that steps adapt to, between the best for few and for many leapfrog steps."""

RATE = 0.2
"""By how much the log of a step size changes, per unit of acceptance."""


class Point(NamedTuple):
    """Chains with both energies and gradients, which serve the weights and the leapfrog steps."""

    x: tf.Tensor
    u: tuple[Energy, Energy]
    """U₀ and U₁."""
    gradient: tuple[tf.Tensor, tf.Tensor]
    """Their gradients."""

    def at(self, beta: tf.Tensor) -> tuple[Energy, tf.Tensor]:
        """Returns (1 - β) U₀ + β U₁ and its gradient."""
        u = (1 - beta) * self.u[0] + beta * self.u[1]
        return u, (1 - beta) * self.gradient[0] + beta * self.gradient[1]


class State(NamedTuple):
    """The chains with their log-weights, and a record of each temperature passed."""

    point: Point
    log_weight: tf.Tensor
    number: tf.Tensor
    """Number of temperatures passed."""
    step_size: tf.Tensor
    """The adapted step size."""
    steps: tf.Tensor
    """The step size used at each temperature, [temperatures]."""
    acceptance: tf.Tensor
    """The mean acceptance at each temperature, [temperatures]."""
    spread: tf.Tensor
    """The standard deviation of U₁ - U₀ over chains before each temperature, [temperatures]."""

    @property
    def x(self) -> tf.Tensor:
        """The chains."""
        return self.point.x


@dataclasses.dataclass(frozen=True)
class AnnealedImportance(Kernel):
    """Annealing from exp(-U₀) to exp(-U₁), one temperature a step.

    A step weighs the chains, then moves them under (1 - β) U₀ + β U₁. The mean of the weights after
    all steps is an unbiased estimate of Z₁ / Z₀, unless step sizes adapt.

    Args:
        first: U₀, whose density the chains start from.
        beta: from 0 to 1, [temperatures + 1].
        step_size: of Hamiltonian Monte Carlo at each temperature, [temperatures], in units of x.
        num_leapfrog_steps: gradients at each temperature.
        adapt: whether the step size at each temperature follows from the acceptance at the one
            before, from `step_size[0]` on.

    Source: Neal, Annealed importance sampling, 2001, and MCMC using Hamiltonian dynamics, 2011.
    """

    first: EnergyFn
    beta: tf.Tensor
    step_size: tf.Tensor
    num_leapfrog_steps: int = 4
    adapt: bool | tf.Tensor = False

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        # no temperature is passed yet; `step` writes one entry of each record
        none = tf.zeros_like(self.step_size)
        return State(
            point=self._evaluate(energy, x),
            log_weight=tf.zeros(tf.shape(x)[:1]),
            number=tf.constant(0),
            step_size=self.step_size[0],
            steps=none,
            acceptance=none,
            spread=none,
        )

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        i, beta = state.number, self.beta[state.number + 1]
        u_first, u_last = state.point.u
        # The weight uses the energies before the move: the ratio of the densities at the two
        # temperatures, where the chain was left by the first of them.
        difference = u_last - u_first
        log_weight = state.log_weight - (beta - self.beta[i]) * difference
        # a tensor may decide, so that one graph serves the pilot run and the others
        step_size = tf.where(self.adapt, state.step_size, self.step_size[i])
        point, acceptance = self._move(energy, state.point, beta, step_size, seed)
        accepted = tf.reduce_mean(acceptance)

        def recorded(row, value):
            return tf.tensor_scatter_nd_update(row, [[i]], [value])

        new = State(
            point=point,
            log_weight=log_weight,
            number=i + 1,
            step_size=step_size * tf.exp(RATE * (accepted - ACCEPTANCE)),
            steps=recorded(state.steps, step_size),
            acceptance=recorded(state.acceptance, accepted),
            spread=recorded(state.spread, tf.math.reduce_std(difference)),
        )
        u, gradient = point.at(beta)
        return new, Info(u, energies.norm(gradient), acceptance)

    def _move(
        self, energy: EnergyFn, here: Point, beta: tf.Tensor, step_size: tf.Tensor, seed: Seed
    ) -> tuple[Point, tf.Tensor]:
        """Takes a step of Hamiltonian Monte Carlo; returns its acceptances too, [b]."""
        momentum_seed, accept_seed = random.split(seed)
        drawn = random.normal(tf.shape(here.x), momentum_seed)

        def unfinished(number, *_):
            return number < self.num_leapfrog_steps

        def leap(number, there, momentum):
            there = self._evaluate(energy, there.x + step_size * momentum)
            return number + 1, there, momentum - step_size * there.at(beta)[1]

        # leapfrog: half a step of the momentum before the first step of x, half after the last
        momentum = drawn - step_size / 2 * here.at(beta)[1]
        _, there, momentum = tf.while_loop(unfinished, leap, (0, here, momentum))
        momentum += step_size / 2 * there.at(beta)[1]  # the last leap took a whole step
        before = here.at(beta)[0] + _kinetic(drawn)
        log_ratio = before - there.at(beta)[0] - _kinetic(momentum)
        # a trajectory to where the energy is infinite or undefined is never accepted
        log_ratio = tf.where(
            tf.math.is_finite(log_ratio), tf.minimum(log_ratio, 0.0), -float("inf")
        )
        uniform = random.uniform(tf.shape(log_ratio), accept_seed)
        # strictly below: the log of a draw of 0 is minus infinity, which must not accept that
        accepted = tf.math.log(uniform) < log_ratio
        return selected(accepted, there, here), tf.exp(log_ratio)

    def _evaluate(self, energy: EnergyFn, x: tf.Tensor) -> Point:
        u_first, gradient_first = energies.value_and_grad(self.first, x)
        u_last, gradient_last = energies.value_and_grad(energy, x)
        return Point(x, (u_first, u_last), (gradient_first, gradient_last))


def _kinetic(momentum: tf.Tensor) -> Energy:
    """Returns the kinetic energy of each chain, [b]."""
    return tf.reduce_sum(momentum**2, axis=list(range(1, momentum.shape.rank))) / 2
