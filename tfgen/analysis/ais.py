"""Normalising constants of energies, from below and from above, by annealed importance sampling."""

import dataclasses
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import special

from tfgen import random
from tfgen.analysis.annealed_importance import ACCEPTANCE, AnnealedImportance
from tfgen.distributions import Reference
from tfgen.samplers import evolve
from tfgen.types import EnergyFn, Seed

CONFIDENCE = 0.95


class Schedule(NamedTuple):
    """Temperatures on the way from a reference to a density."""

    beta: np.ndarray
    """0 to 1, [temperatures + 1]."""
    step_size: np.ndarray
    """Of Hamiltonian Monte Carlo at each but the first, [temperatures]."""

    @property
    def reversed(self) -> "Schedule":
        """The way back, with the step of each temperature."""
        return Schedule(1 - self.beta[::-1], np.append(self.step_size[-2::-1], self.step_size[0]))


class Annealed(NamedTuple):
    """What came of annealing."""

    x: np.ndarray
    """The chains at the end, [chains, ...]."""
    log_weight: np.ndarray
    """[chains]"""
    step_size: np.ndarray
    """At each temperature, [temperatures]."""
    acceptance: np.ndarray
    """At each temperature, [temperatures]."""
    spread: np.ndarray
    """Of U₁ - U₀ at each temperature, [temperatures]."""

    @property
    def log_ratio(self) -> float:
        """log of the mean weight, an estimate of log Z₁ / Z₀ that is at most it in expectation."""
        return float(special.logsumexp(self.log_weight) - math.log(len(self.log_weight)))

    @property
    def effective(self) -> float:
        """The effective number of chains, 1 / Σ w² of weights that sum to one."""
        return float(1 / np.sum(special.softmax(self.log_weight) ** 2))


class Bounds(NamedTuple):
    """What is known of log Z = log ∫ exp(-U(x)) dx, nats."""

    lower: float
    """In expectation at most log Z."""
    upper: float
    """In expectation at least log Z, if the samples that it started from follow the density."""
    temperatures: int
    effective: float
    """Of the lower bound's chains."""
    acceptance: float
    """Mean of the lower bound's moves."""

    @property
    def gap(self) -> float:
        """Negative if the samples do not follow the density."""
        return self.upper - self.lower

    @property
    def interval(self) -> tuple[float, float]:
        """Holds log Z in 95 % of runs or more, under the condition of `upper`.

        An estimate of Z without bias exceeds b Z with a probability of at most 1 / b (Markov), and so with 1 / Z.
        """
        slack = math.log(2 / (1 - CONFIDENCE))
        return self.lower - slack, self.upper + slack


@dataclasses.dataclass(frozen=True)
class Annealing:
    """How normalising constants are estimated.

    Args:
        chains: importance samples each way.
        temperatures: of the first estimate, at least 2; each further one has twice as many.
        most_temperatures: of the last.
        gap: between the two bounds, nats, at which no more temperatures are tried.
        step_size: the first of Hamiltonian Monte Carlo, in units of x; it adapts.
        num_leapfrog_steps: gradients a temperature.
        jit: whether XLA compiles it.
    """

    chains: int = 50
    temperatures: int = 100
    most_temperatures: int = 1600
    gap: float = 1.0
    step_size: float = 0.1
    num_leapfrog_steps: int = 4
    jit: bool = False

    def bounds(
        self,
        energy: EnergyFn,
        reference: Reference,
        shape: tuple[int, ...],
        seed: Seed,
        samples: tf.Tensor,
        exact: bool = False,
    ) -> Iterator[Bounds]:
        """Ever closer bounds of log Z.

        A pilot that adapts its steps spaces the temperatures; each estimate spaces those of the next, so that the
        thermodynamic length between any two is the same. No estimate is made with what was learned from itself.

        Args:
            energy: U, of images.
            reference: q.
            shape: of an image.
            seed: int32 [2].
            samples: images that the way down starts from, [chains, *shape]: draws of the density, or what becomes
                such by moving under it.
            exact: whether they are draws already; else they move for as many steps as there are temperatures.

        Yields:
            Bounds, until their gap is small enough or the temperatures are as many as may be.
        """
        ends = [reference.pulled_back(u) for u in (reference.energy, energy)]
        up, down = (
            Way(*way, (self.chains, *shape), self.num_leapfrog_steps, self.jit)
            for way in (ends, ends[::-1])
        )
        start_seed, up_seed, settle_seed, down_seed = random.split(seed, 4)

        def climb(number: int, schedule: Schedule, adapt: bool) -> Annealed:
            start = reference.sample((self.chains, *shape), random.fold_in(start_seed, number))
            return up.follow(
                reference.free(start), schedule, random.fold_in(up_seed, number), adapt
            )

        temperatures, number = self.temperatures, 1
        # half of the pilot's temperatures below 0.06: a density is steepest where it leaves the reference
        beta = np.linspace(0, 1, 2 * temperatures + 1) ** 4
        schedule = Schedule(beta, np.full(2 * temperatures, self.step_size))
        found = climb(0, schedule, adapt=True)
        while True:
            schedule = respaced(schedule, found, temperatures)
            found, settled = climb(number, schedule, adapt=False), reference.free(samples)
            if not exact:
                still = Schedule(
                    np.ones(temperatures + 1), np.full(temperatures, schedule.step_size[-1])
                )
                settled = up.follow(settled, still, random.fold_in(settle_seed, number)).x
            back = down.follow(settled, schedule.reversed, random.fold_in(down_seed, number))
            acceptance = float(found.acceptance.mean())
            bounds = Bounds(
                found.log_ratio, -back.log_ratio, temperatures, found.effective, acceptance
            )
            yield bounds
            if abs(bounds.gap) <= self.gap or 2 * temperatures > self.most_temperatures:
                return
            temperatures, number = 2 * temperatures, number + 1


class Way:
    """From one density to another; traced once, whatever the temperatures.

    Args:
        first: U₀.
        last: U₁.
        shape: of the chains, with their number.
        num_leapfrog_steps: gradients a temperature.
        jit: whether XLA compiles it.
    """

    def __init__(
        self,
        first: EnergyFn,
        last: EnergyFn,
        shape: tuple[int, ...],
        num_leapfrog_steps: int,
        jit: bool,
    ):
        def follow(x, beta, step_size, seed, adapt):
            kernel = AnnealedImportance(first, beta, step_size, num_leapfrog_steps, adapt)
            with random.compiled(jit):
                return evolve(kernel, last, kernel.init(last, x), seed, tf.size(step_size))[0]

        given = [
            (shape, tf.float32),
            ([None], tf.float32),
            ([None], tf.float32),
            ([2], tf.int32),
            ([], tf.bool),
        ]
        signature = [tf.TensorSpec(*spec) for spec in given]
        self._follow = tf.function(
            follow, input_signature=signature, autograph=False, jit_compile=jit
        )

    def follow(
        self, start: tf.Tensor, schedule: Schedule, seed: Seed, adapt: bool = False
    ) -> Annealed:
        """Chains from the first density to the last.

        Args:
            start: draws of the first, [chains, ...].
            schedule: the temperatures.
            seed: int32 [2].
            adapt: whether steps follow from acceptances, from the schedule's first on.

        Returns:
            What came of it.
        """
        given = [tf.constant(part, tf.float32) for part in schedule]
        state = self._follow(tf.convert_to_tensor(start), *given, seed, tf.constant(adapt))
        kept = (state.x, state.log_weight, state.steps, state.acceptance, state.spread)
        return Annealed(*(t.numpy() for t in kept))


def respaced(schedule: Schedule, found: Annealed, temperatures: int) -> Schedule:
    """Temperatures between which the density changes by the same amount, as far as an annealing has shown.

    The amount is thermodynamic length, ∫ sd(U₁ - U₀) dβ. Steps become what would have been accepted three times in
    four, smoothed over neighbouring temperatures.

    Args:
        schedule: of that annealing.
        found: what came of it.
        temperatures: how many the new schedule shall have.

    Source: Crooks, Measuring thermodynamic length, 2007.
    """
    beta = np.asarray(schedule.beta, float)
    # far from equilibrium the spread of a few chains is a guess: no share of the way is left without temperatures
    length = np.diff(beta) * (found.spread + 0.01 * found.spread.max() + 1e-9)
    walked = np.concatenate([[0.0], np.cumsum(length)]) / length.sum()
    new = np.interp(np.linspace(0, 1, temperatures + 1), walked, beta)
    wanted = np.log(found.step_size) + 0.5 * (found.acceptance - ACCEPTANCE)
    width = max(1, len(wanted) // 20)
    smooth = np.convolve(
        np.pad(wanted, width, mode="edge"), np.ones(2 * width + 1) / (2 * width + 1), mode="valid"
    )
    step_size = np.exp(np.interp(new[1:], beta[1:], smooth))
    return Schedule(new, step_size)
