"""Normalising constants of energies, bounded from both sides by annealed importance sampling."""

import dataclasses
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis.annealing_path import (
    AnnealingPath,
    AnnealingResult,
    AnnealingSchedule,
    respace,
)
from tfgen.distributions import Distribution
from tfgen.types import EnergyFn, Seed

CONFIDENCE = 0.95


class LogZInterval(NamedTuple):
    """Estimates of log Z = log ∫ exp(-U(x)) dx from below and from above, in nats."""

    lower: float
    """In expectation at most log Z."""
    upper: float
    """In expectation at least log Z, if the samples that it started from follow the density."""
    temperatures: int
    effective_sample_size: float
    """Of the chains of `lower`."""
    acceptance: float
    """Mean acceptance of the chains of `lower`."""

    @property
    def gap(self) -> float:
        """`upper` - `lower`; negative by chance, or if the samples do not follow the density."""
        return self.upper - self.lower

    @property
    def confidence_interval(self) -> tuple[float, float]:
        """An interval that holds log Z in at least 95 % of runs, under the condition of `upper`.

        An unbiased estimate of Z exceeds b Z with a probability of at most 1 / b (Markov). The same
        is true of 1 / Z.
        """
        # each of the two ends may fail with half of the probability that is left
        slack = math.log(2 / (1 - CONFIDENCE))
        return self.lower - slack, self.upper + slack


@dataclasses.dataclass(frozen=True)
class Annealing:
    """Estimator of normalising constants by annealing in both directions.

    Args:
        chains: importance samples in each direction.
        temperatures: of the first estimate, at least 2; each further one has twice as many.
        most_temperatures: of the last estimate, at most.
        gap: between the two bounds, nats, at which no more temperatures are tried.
        step_size: the first of Hamiltonian Monte Carlo, in units of x; it adapts.
        num_leapfrog_steps: gradients at each temperature.
        jit: whether XLA compiles the chains.

    Example:
        >>> from tfgen import distributions
        >>> from tfgen.data import toy
        >>> density, base = toy.Gaussian(), distributions.Gaussian(0.5)
        >>> annealing = Annealing(chains=20, temperatures=20, most_temperatures=20)
        >>> samples = tf.constant(density.sample(20, seed=0))
        >>> given = density.energy, base, toy.SHAPE, random.root(0), samples
        >>> (found,) = annealing.intervals(*given, exact=True)
        >>> found.lower < 0.5 and found.upper > -0.5  # log Z is 0
        True
    """

    chains: int = 50
    temperatures: int = 100
    most_temperatures: int = 1600
    gap: float = 1.0
    step_size: float = 0.1
    num_leapfrog_steps: int = 4
    jit: bool = False

    def intervals(
        self,
        energy: EnergyFn,
        base: Distribution,
        shape: tuple[int, ...],
        seed: Seed,
        samples: tf.Tensor,
        exact: bool = False,
    ) -> Iterator[LogZInterval]:
        """Estimates log Z from both sides, with more and more temperatures.

        A pilot run adapts its steps and spaces the temperatures of the first estimate. Each
        estimate spaces those of the next, so that the thermodynamic length between any two is the
        same. No estimate uses what was learned from its own chains.

        Args:
            energy: U, of images.
            base: the distribution that annealing starts from.
            shape: of an image.
            seed: int32 [2].
            samples: images that the reverse chains start from, [chains, *shape]: exact samples of
                the density, or points that are first moved under it.
            exact: whether `samples` are exact; else they first move for as many steps as there are
                temperatures.

        Yields:
            Estimates, until their gap is small enough or the temperatures are spent.
        """
        # Chains move in coordinates without bounds, since Hamiltonian dynamics knows no walls. The
        # change of variables adds the same log-Jacobian to both energies.
        first, last = (base.unconstrained_energy(u) for u in (base.energy, energy))
        shape = (self.chains, *shape)
        up = AnnealingPath(first, last, shape, self.num_leapfrog_steps, self.jit)
        down = AnnealingPath(last, first, shape, self.num_leapfrog_steps, self.jit)
        both = _BothWays(base, shape, up, down, seed)
        schedule, temperatures, number = self._pilot(), self.temperatures, 1
        # adapted steps bias the weights, so the pilot run only lays out the first schedule
        ahead = both.forward(0, schedule, adapt=True)
        while True:
            schedule = respace(schedule, ahead, temperatures)
            ahead = both.forward(number, schedule)
            back = both.backward(number, schedule, samples, exact)
            # the base distribution has Z = 1, so both ratios are those of Z itself
            found = LogZInterval(
                lower=ahead.log_ratio,
                upper=-back.log_ratio,
                temperatures=temperatures,
                effective_sample_size=ahead.effective_sample_size,
                acceptance=float(ahead.acceptance.mean()),
            )
            yield found
            if abs(found.gap) <= self.gap or 2 * temperatures > self.most_temperatures:
                return
            temperatures, number = 2 * temperatures, number + 1

    def _pilot(self) -> AnnealingSchedule:
        """Returns a schedule of twice the temperatures, half of which lie below 0.06.

        A density changes fastest where it leaves the base distribution.
        """
        count = 2 * self.temperatures
        beta = np.linspace(0, 1, count + 1) ** 4  # 0.5⁴ is about 0.06
        return AnnealingSchedule(beta, np.full(count, self.step_size))


class _BothWays:
    """Annealing from the base distribution to a density and back, with a seed for each attempt."""

    def __init__(
        self,
        base: Distribution,
        shape: tuple[int, ...],
        up: AnnealingPath,
        down: AnnealingPath,
        seed: Seed,
    ):
        self._base, self._shape = base, shape
        self._up, self._down = up, down
        self._start_seed, self._up_seed, self._settle_seed, self._down_seed = random.split(seed, 4)

    def forward(
        self, number: int, schedule: AnnealingSchedule, adapt: bool = False
    ) -> AnnealingResult:
        """Anneals samples of the base distribution to the density."""
        sample = self._base.sample(self._shape, random.fold_in(self._start_seed, number))
        start, seed = self._base.unconstrain(sample), random.fold_in(self._up_seed, number)
        return self._up.anneal(start, schedule, seed, adapt)

    def backward(
        self, number: int, schedule: AnnealingSchedule, samples: tf.Tensor, exact: bool
    ) -> AnnealingResult:
        """Anneals samples of the density to the base distribution; inexact ones move first."""
        start = self._base.unconstrain(samples)
        # the upper bound holds only if the chains start from the density itself
        if not exact:
            seed = random.fold_in(self._settle_seed, number)
            start = self._up.anneal(start, schedule.at_last, seed).x
        seed = random.fold_in(self._down_seed, number)
        return self._down.anneal(start, schedule.reversed, seed)
