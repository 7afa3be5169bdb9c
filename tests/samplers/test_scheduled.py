"""Schedules within a run: each step's size and temperature, where they end, what stays."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.errors import UserError
from tfgen.samplers import HMC, MALA, Adam, Annealed, Descent, Langevin, Scheduled, run

SEED = random.root(0)
ENERGY = Gaussian().energy
START = tf.constant(Gaussian().sample(5, seed=0))


def level(x):
    """No slope anywhere."""
    return 0 * tf.reduce_sum(x, axis=[1, 2, 3])


def increments(kernel, steps, energy=level):
    """Each step's move of 10,000 chains from 0, [steps, 20,000]."""
    start = tf.zeros([10_000, 1, 1, 2])
    kept = run(kernel, energy, start, SEED, steps, keep_every=1)[1].kept.numpy()
    return np.diff(kept, axis=0, prepend=start.numpy()[None]).reshape(steps, -1)


def by_hand(kernels, energy=ENERGY, x=START):
    """Each kernel's step after the other, with the seeds of a run."""
    state = kernels[0].init(energy, x)
    for i, kernel in enumerate(kernels):
        state, _ = kernel.step(energy, state, random.fold_in(SEED, i))
    return state.x


@pytest.mark.parametrize(
    "make",
    [lambda step, t: Langevin(step, t), lambda step, t: MALA(step, t), lambda s, t: HMC(s, 3, t)],
    ids=["langevin", "mala", "hmc"],
)
def test_steps_and_temperatures_go_geometrically_from_the_first_to_the_last(make):
    kernel = Scheduled(make(0.2, 2.0), 5, step_factor_end=0.1, temperature_factor_end=0.01)
    found, _ = run(kernel, ENERGY, START, SEED, 5)
    fractions = np.arange(5) / 4
    expected = by_hand([make(0.2 * 0.1**f, 2.0 * 0.01**f) for f in fractions])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_temperature_that_ends_at_zero_falls_linearly():
    """Variances of 20,000 draws at 5 standard errors: fails with a probability of 3e-6."""
    kernel = Scheduled(Langevin(0.5), 5, temperature_factor_end=0.0)
    moves = increments(kernel, 5)
    variance = 0.25 * (1 - np.arange(5) / 4)
    assert np.all(np.abs((moves**2).mean(axis=1) - variance) <= 5 * np.sqrt(2 / 20_000) * variance)
    np.testing.assert_array_equal(moves[-1], 0)


def test_steps_beyond_the_last_repeat_it():
    kernel = Scheduled(Langevin(0.4, 0.0), 3, step_factor_end=0.25)
    moves = increments(kernel, 6, lambda x: tf.reduce_sum(x, axis=[1, 2, 3]))
    expected = -np.square(0.4 * np.array([1, 0.5, 0.25, 0.25, 0.25, 0.25])) / 2
    np.testing.assert_allclose(moves[:, 0], expected, rtol=1e-4)


def test_a_schedule_of_one_step_takes_the_first_values():
    found, _ = run(Scheduled(Langevin(0.2), 1, 0.1, 0.1), ENERGY, START, SEED, 1)
    np.testing.assert_allclose(found, by_hand([Langevin(0.2)]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kernel", [Langevin(0.2), MALA(0.2), HMC(0.1, 3)])
def test_without_change_the_run_is_the_kernels_to_the_bit(kernel):
    ends = [run(k, ENERGY, START, SEED, 6)[0] for k in (kernel, Scheduled(kernel, 6))]
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("kernel", [Adam(0.1), Descent(0.01), Annealed(Adam(0.1), 0.2, decay=1.0)])
def test_other_kernels_scale_their_steps_too(kernel):
    scheduled = Scheduled(kernel, 3, step_factor_end=0.25)
    found, _ = run(scheduled, ENERGY, START, SEED, 1)
    expected, _ = run(kernel, ENERGY, START, SEED, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    half = kernel.scaled(step=0.5)
    assert half.scaled(step=2.0) == kernel
    assert half != kernel


def test_the_last_state_is_close_to_a_mode_where_the_noise_has_died_away():
    """To a third of what chains with noise to the end are off."""
    density = Gaussian(correlation=0.0)
    warm, _ = run(Langevin(0.2), density.energy, START, SEED, 200)
    cooled, _ = run(
        Scheduled(Langevin(0.2), 200, temperature_factor_end=0.0), density.energy, START, SEED, 200
    )
    off = [np.abs(x.numpy().reshape(-1, 2) - density.mean).mean() for x in (warm, cooled)]
    assert off[1] < off[0] / 3


def test_one_trace_runs_schedules_of_any_length():
    @tf.function(autograph=False)
    def traced(num_steps):
        kernel = Scheduled(Langevin(0.2), num_steps, 0.1, 0.0)
        return run(kernel, ENERGY, START, SEED, num_steps)[0]

    for num_steps in (3, 7):
        kernel = Scheduled(Langevin(0.2), num_steps, 0.1, 0.0)
        expected, _ = run(kernel, ENERGY, START, SEED, num_steps)
        np.testing.assert_allclose(traced(tf.constant(num_steps)), expected, rtol=1e-4, atol=1e-5)
    assert traced.experimental_get_tracing_count() == 1


def test_without_noise_the_schedule_of_steps_remains():
    kernel = Scheduled(MALA(0.2), 5, 0.1, 0.5)
    assert kernel.noise_free() == Scheduled(Langevin(0.2, 0.0), 5, 0.1, 0.5)


def test_values_out_of_range_are_refused():
    with pytest.raises(UserError, match="num_steps: expected a number at least 1 and found 0"):
        Scheduled(Langevin(0.1), 0)
    with pytest.raises(UserError, match="step_factor_end: expected a number above 0"):
        Scheduled(Langevin(0.1), 5, 0.0)
