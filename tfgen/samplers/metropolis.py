"""Metropolis-corrected moves by Hamiltonian dynamics, shared by MALA and HMC.

A move draws a momentum p ~ N(0, T) and follows the dynamics of H = U + |p|² / 2 by leapfrog steps.
It accepts the end with probability min(1, exp(-ΔH / T)). This leaves exp(-U / T) exactly invariant.
One leapfrog step is a Langevin step, so MALA is the case of one.

In a box, trajectories bounce off its walls. A bounce preserves volume and can be undone, so the
density restricted to the box is left exactly invariant too. Rejecting proposals outside of the box
would be exact as well, but useless for images: of the many pixels near a wall, one that would cross
it is enough to reject the whole image.

Source: Neal, MCMC using Hamiltonian dynamics, 2011, sections 5.3 and 5.5.1 (bounces: figure 5.8).
"""

import abc
import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Interval, Kernel, Scalar, clamp, selected
from tfgen.samplers.langevin import Langevin
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch with its energies and gradients, which a rejection keeps."""

    x: tf.Tensor
    u: Energy
    gradient: tf.Tensor


class Metropolis(Kernel):
    """The base class of MALA and HMC, which are frozen dataclasses of these constants."""

    step_size: Scalar
    """Of a leapfrog step, ε in units of x."""
    temperature: Scalar
    bounds: Interval | None

    @property
    @abc.abstractmethod
    def num_leapfrog_steps(self) -> int:
        """The number of gradient evaluations of a move, at least 1."""

    @property
    def reports_new_point(self) -> bool:
        return True

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        x = clamp(x, self.bounds)
        return State(x, *energies.value_and_grad(energy, x))

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        propose, accept = random.split(seed)
        momentum = self.temperature**0.5 * random.normal(tf.shape(state.x), propose)
        proposal, end = self._trajectory(energy, state, momentum)
        # the sum of differences of squares loses less to rounding than the difference of sums
        kinetic = tf.reduce_sum((momentum - end) * (momentum + end), axis=_axes(momentum)) / 2
        gained = state.u - proposal.u + kinetic
        # the tiny number keeps a temperature that a schedule takes to 0 from giving 0 / 0
        log_ratio = tf.minimum(gained, 0.0) / (self.temperature + 1e-12)
        # a proposal of infinite or undefined energy is never accepted
        log_ratio = tf.where(tf.math.is_finite(gained), log_ratio, -float("inf"))
        accepted = tf.math.log(random.uniform(tf.shape(log_ratio), accept)) < log_ratio
        state = selected(accepted, proposal, state)
        return state, Info(state.u, energies.norm(state.gradient), tf.exp(log_ratio))

    def noise_free(self) -> Langevin:
        return Langevin(self.step_size, temperature=0.0, bounds=self.bounds)

    @property
    def implied_temperature(self) -> Scalar:
        """T of the density exp(-U / T) that the steps sample."""
        return self.temperature

    def scaled(self, step: Scalar = 1.0, temperature: Scalar = 1.0) -> "Metropolis":
        return dataclasses.replace(  # type: ignore[type-var]  # subclasses are dataclasses
            self, step_size=self.step_size * step, temperature=self.temperature * temperature
        )

    def _trajectory(
        self, energy: EnergyFn, state: State, momentum: tf.Tensor
    ) -> tuple[State, tf.Tensor]:
        """Follows leapfrog steps; returns the last state and momentum."""

        def leap(number, here, momentum):
            x = here.x + self.step_size * momentum
            if self.bounds is not None:
                x, momentum = reflected(x, momentum, self.bounds)
            there = State(x, *energies.value_and_grad(energy, x))
            return number + 1, there, momentum - self.step_size * there.gradient

        momentum -= self.step_size / 2 * state.gradient
        start = (tf.constant(0), state, momentum)
        if self.num_leapfrog_steps == 1:
            _, end, momentum = leap(*start)
        else:
            _, end, momentum = tf.while_loop(
                lambda number, *_: number < self.num_leapfrog_steps,
                leap,
                start,
                parallel_iterations=1,
            )
        # the last leap changed the momentum by a whole step where half a step was due
        return end, momentum + self.step_size / 2 * end.gradient


def reflected(x: tf.Tensor, momentum: tf.Tensor, bounds: Interval) -> tuple[tf.Tensor, tf.Tensor]:
    """Bounces points that have left a box off its walls.

    Args:
        x: points after a straight move, [b, ...].
        momentum: with which they moved, as x.
        bounds: of the box.

    Returns:
        The points folded into the box, and the momentum, reversed after an odd number of bounces.
    """
    low, high = bounds
    width = high - low
    phase = tf.math.floormod(x - low, 2 * width)
    backward = phase > width
    folded = low + tf.where(backward, 2 * width - phase, phase)
    outside = (x < low) | (x > high)
    momentum = tf.where(outside & backward, -momentum, momentum)
    # points inside are left as they are, to the bit; the fold's rounding may leave by a hair
    return clamp(tf.where(outside, folded, x), bounds), momentum


def _axes(x: tf.Tensor) -> list[int]:
    return list(range(1, x.shape.rank))
