"""Langevin dynamics, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.samplers import Langevin, run


def slope(gradient):
    """An energy of this constant gradient."""
    return lambda x: tf.reduce_sum(x * tf.constant(gradient, tf.float32), axis=[1, 2, 3])


X = tf.reshape(tf.range(8.0), [2, 2, 1, 2])


def test_zero_gradient_and_temperature_0_leave_x_unchanged():
    x, _ = run(Langevin(0.3, temperature=0.0), slope([0.0, 0.0]), X, random.root(0), 5)
    np.testing.assert_array_equal(x, X)


def test_temperature_0_steps_down_half_the_squared_step_times_the_gradient():
    x, _ = run(Langevin(0.5, temperature=0.0), slope([4.0, -8.0]), X, random.root(0), 1)
    np.testing.assert_array_equal(x, X - 0.125 * tf.constant([4.0, -8.0]))


def test_noise_has_the_step_size_times_the_root_of_the_temperature_as_standard_deviation():
    """Over n = 20,000 draws, s² within 5 √(2/n) of itself: fails with a probability of 6e-7."""
    x, _ = run(
        Langevin(0.5, temperature=4.0),
        slope([0.0, 0.0]),
        tf.zeros([10_000, 1, 1, 2]),
        random.root(0),
        1,
    )
    assert abs(np.mean(x.numpy() ** 2) - 1.0) < 5 * np.sqrt(2 / 20_000)


def test_a_step_is_its_drift_plus_its_noise():
    density, seed = Gaussian(), random.root(5)
    x = tf.constant(density.sample(4, seed=0))
    cold, _ = run(Langevin(0.2, temperature=0.0), density.energy, x, seed, 1)
    warm, _ = run(Langevin(0.2), density.energy, x, seed, 1)
    noise = 0.2 * random.normal(x.shape, random.fold_in(seed, 0))
    np.testing.assert_allclose(warm, cold + noise, atol=1e-6)


def test_gradients_above_the_cap_are_scaled_to_it_and_others_left():
    step = Langevin(1.0, temperature=0.0, max_grad_norm=2.0)
    gradient = tf.constant([[3.0, 4.0], [0.6, 0.8]])[:, None, None]
    x, summary = run(
        step,
        lambda x: tf.reduce_sum(gradient * x, axis=[1, 2, 3]),
        tf.zeros_like(gradient),
        (0, 0),
        1,
    )
    np.testing.assert_allclose(x[:, 0, 0], [[-0.6, -0.8], [-0.3, -0.4]], rtol=1e-6)
    np.testing.assert_allclose(summary.last.grad_norm, [5.0, 1.0], rtol=1e-6)


def test_a_cap_on_a_gradient_of_zero_gives_no_nan():
    x, _ = run(Langevin(1.0, 0.0, max_grad_norm=2.0), slope([0.0, 0.0]), X, random.root(0), 2)
    np.testing.assert_array_equal(x, X)


def test_bounds_hold_after_every_step_and_are_reached():
    kernel = Langevin(0.5, bounds=(-0.25, 0.75))
    kept = run(
        kernel, slope([0.0, 0.0]), tf.zeros([50, 1, 1, 2]), random.root(0), 20, keep_every=1
    )[1].kept
    assert kept.numpy().min() == -0.25
    assert kept.numpy().max() == 0.75


def test_acceptance_is_always_one():
    _, summary = run(Langevin(0.5), slope([1.0, 1.0]), X, random.root(0), 3)
    np.testing.assert_array_equal(summary.mean.acceptance, [1.0, 1.0])


@pytest.mark.parametrize("step_size", [0.3, tf.constant(0.3)], ids=["number", "tensor"])
def test_the_step_size_may_be_a_tensor(step_size):
    x, _ = run(Langevin(step_size, 0.0), slope([2.0, 0.0]), X, random.root(0), 1)
    np.testing.assert_allclose(x, X - 0.045 * tf.constant([2.0, 0.0]), rtol=1e-6)
