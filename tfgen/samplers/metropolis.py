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

from typing import NamedTuple

import tensorflow as tf

from tfgen import energies, random
from tfgen.samplers.base import Info, Interval, Scalar, clamp, selected
from tfgen.types import Energy, EnergyFn, Seed


class State(NamedTuple):
    """The batch with its energies and gradients, which a rejection keeps."""

    x: tf.Tensor
    u: Energy
    gradient: tf.Tensor


def init(energy: EnergyFn, x: tf.Tensor, bounds: Interval | None) -> State:
    """Returns the state at x, clamped to the box where there is one."""
    x = clamp(x, bounds)
    return State(x, *energies.value_and_grad(energy, x))


def move(
    energy: EnergyFn,
    state: State,
    seed: Seed,
    *,
    step_size: Scalar,
    temperature: Scalar,
    num_leapfrog_steps: int,
    bounds: Interval | None,
) -> tuple[State, Info]:
    """Proposes the end of a trajectory to each example, and accepts or rejects it.

    Args:
        energy: U.
        state: where the trajectories start.
        seed: int32 [2], or several.
        step_size: of a leapfrog step, ε in units of x.
        temperature: T.
        num_leapfrog_steps: gradient evaluations of the move, at least 1.
        bounds: of the box, or None.

    Returns:
        The new state, and the Info of the point that it holds.
    """
    propose, accept = random.split(seed)
    momentum = temperature**0.5 * random.normal(tf.shape(state.x), propose)
    proposal, end = _trajectory(energy, state, momentum, step_size, num_leapfrog_steps, bounds)
    # of squares, the difference is summed, which loses less to rounding than the sums' difference
    kinetic = tf.reduce_sum((momentum - end) * (momentum + end), axis=_axes(momentum)) / 2
    gained = state.u - proposal.u + kinetic
    # the tiny number keeps a temperature that a schedule takes to 0 from giving 0 / 0
    log_ratio = tf.minimum(gained, 0.0) / (temperature + 1e-12)
    # a proposal of infinite or undefined energy is never accepted
    log_ratio = tf.where(tf.math.is_finite(gained), log_ratio, -float("inf"))
    accepted = tf.math.log(random.uniform(tf.shape(log_ratio), accept)) < log_ratio
    state = selected(accepted, proposal, state)
    return state, Info(state.u, energies.norm(state.gradient), tf.exp(log_ratio))


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


def _trajectory(
    energy: EnergyFn,
    state: State,
    momentum: tf.Tensor,
    step_size: Scalar,
    num_leapfrog_steps: int,
    bounds: Interval | None,
) -> tuple[State, tf.Tensor]:
    """Follows leapfrog steps; returns the last state and momentum."""

    def leap(number, here, momentum):
        x = here.x + step_size * momentum
        if bounds is not None:
            x, momentum = reflected(x, momentum, bounds)
        there = State(x, *energies.value_and_grad(energy, x))
        return number + 1, there, momentum - step_size * there.gradient

    momentum -= step_size / 2 * state.gradient
    start = (tf.constant(0), state, momentum)
    if num_leapfrog_steps == 1:
        _, end, momentum = leap(*start)
    else:
        _, end, momentum = tf.while_loop(
            lambda number, *_: number < num_leapfrog_steps, leap, start, parallel_iterations=1
        )
    # the last leap changed the momentum by a whole step where half a step was due
    return end, momentum + step_size / 2 * end.gradient


def _axes(x: tf.Tensor) -> list[int]:
    return list(range(1, x.shape.rank))
