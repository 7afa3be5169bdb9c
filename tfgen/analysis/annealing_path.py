"""Annealing of chains from one density to another, along a schedule of temperatures."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import special

from tfgen import random
from tfgen.analysis.annealed_importance import ACCEPTANCE, AnnealedImportance
from tfgen.samplers import run_from_state
from tfgen.types import EnergyFn, Seed


class AnnealingSchedule(NamedTuple):
    """The temperatures between two densities, and the step size at each."""

    beta: np.ndarray
    """Inverse temperatures, from 0 to 1, [temperatures + 1]."""
    step_size: np.ndarray
    """Of Hamiltonian Monte Carlo at each temperature but the first, [temperatures]."""

    @property
    def reversed(self) -> "AnnealingSchedule":
        """The schedule from the last density back to the first."""
        # A move is made at the end of its interval of temperatures. The way back therefore begins
        # under the last density but one, and ends under the first, which had no move on the way up.
        step_size = np.append(self.step_size[-2::-1], self.step_size[0])
        return AnnealingSchedule(1 - self.beta[::-1], step_size)

    @property
    def at_last(self) -> "AnnealingSchedule":
        """A schedule of as many moves, all of them under the last density."""
        # β stays at 1, so the weights of such a run do not change
        step_size = np.full_like(self.step_size, self.step_size[-1])
        return AnnealingSchedule(np.ones_like(self.beta), step_size)


class AnnealingResult(NamedTuple):
    """The chains after annealing, their weights, and the acceptances on the way."""

    x: np.ndarray
    """The chains at the end, [chains, ...]."""
    log_weight: np.ndarray
    """[chains]"""
    step_size: np.ndarray
    """At each temperature, [temperatures]."""
    acceptance: np.ndarray
    """At each temperature, the mean over chains, [temperatures]."""
    spread: np.ndarray
    """The standard deviation of U₁ - U₀ over chains at each temperature, [temperatures], nats."""

    @property
    def log_ratio(self) -> float:
        """The log of the mean weight: an estimate of log Z₁ / Z₀, in expectation at most that."""
        log_sum = special.logsumexp(self.log_weight)
        return float(log_sum - math.log(len(self.log_weight)))

    @property
    def effective_sample_size(self) -> float:
        """1 / Σ w² for weights w that sum to one."""
        return float(1 / np.sum(special.softmax(self.log_weight) ** 2))


class AnnealingPath:
    """Annealing from one density to another, traced once for any number of temperatures.

    Args:
        first: U₀.
        last: U₁.
        shape: of the chains, their number included.
        num_leapfrog_steps: gradients at each temperature.
        jit: whether XLA compiles the chains.
    """

    def __init__(
        self,
        first: EnergyFn,
        last: EnergyFn,
        shape: tuple[int, ...],
        num_leapfrog_steps: int,
        jit: bool,
    ):
        def anneal(x, beta, step_size, seed, adapt):
            kernel = AnnealedImportance(first, beta, step_size, num_leapfrog_steps, adapt)
            with random.compiled(jit):
                start = kernel.init(last, x)
                state, _ = run_from_state(kernel, last, start, seed, tf.size(step_size))
                return state

        # the number of temperatures is free: it doubles from estimate to estimate
        signature = [
            tf.TensorSpec(shape, tf.float32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], tf.bool),
        ]
        self._anneal = tf.function(
            anneal, input_signature=signature, autograph=False, jit_compile=jit
        )

    def anneal(
        self, start: tf.Tensor, schedule: AnnealingSchedule, seed: Seed, adapt: bool = False
    ) -> AnnealingResult:
        """Moves chains from the first density to the last.

        Args:
            start: samples of the first density, [chains, ...].
            schedule: the temperatures.
            seed: int32 [2].
            adapt: whether step sizes follow from acceptances, from the schedule's first on.

        Returns:
            The chains at the end, with their weights.
        """
        beta, step_size = (tf.constant(part, tf.float32) for part in schedule)
        # a Python boolean would not match the signature's tensor
        start, adapt = tf.convert_to_tensor(start), tf.constant(adapt)
        state = self._anneal(start, beta, step_size, seed, adapt)
        return AnnealingResult(
            x=state.x.numpy(),
            log_weight=state.log_weight.numpy(),
            step_size=state.steps.numpy(),
            acceptance=state.acceptance.numpy(),
            spread=state.spread.numpy(),
        )


def respace(
    schedule: AnnealingSchedule, found: AnnealingResult, temperatures: int
) -> AnnealingSchedule:
    """Spaces temperatures such that the density changes by the same amount between any two.

    The amount is thermodynamic length, ∫ sd(U₁ - U₀) dβ, as estimated from an annealing. Step sizes
    become those that would have been accepted three times in four, smoothed over neighbouring
    temperatures.

    Args:
        schedule: of that annealing.
        found: its result.
        temperatures: number of temperatures of the new schedule.

    Source: Crooks, Measuring thermodynamic length, 2007.
    """
    beta = np.asarray(schedule.beta, float)
    # far from equilibrium the spread of a few chains is a guess: the floor leaves no gap in beta
    floor = 0.01 * found.spread.max() + 1e-9
    length = np.diff(beta) * (found.spread + floor)
    share_of_length = np.concatenate([[0.0], np.cumsum(length)]) / length.sum()
    # the inverse function: at which β a given share of the length lies behind
    new_beta = np.interp(np.linspace(0, 1, temperatures + 1), share_of_length, beta)
    # half a correction: acceptances are noisy, and the next estimate corrects again
    log_step = np.log(found.step_size) + 0.5 * (found.acceptance - ACCEPTANCE)
    smooth = _moving_average(log_step, max(1, len(log_step) // 20))
    # a step size belongs to the end of its interval, beta[1:]
    new_step_size = np.exp(np.interp(new_beta[1:], beta[1:], smooth))
    return AnnealingSchedule(new_beta, new_step_size)


def _moving_average(values: np.ndarray, reach: int) -> np.ndarray:
    """Averages each value with as many neighbours on either side; the ends are repeated."""
    window = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.convolve(np.pad(values, reach, mode="edge"), window, mode="valid")
