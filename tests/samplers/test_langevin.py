"""Langevin dynamics, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.errors import UserError
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
        random.root(0),
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


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
def test_a_tensor_of_a_temperature_draws_what_the_number_does(temperature):
    density, x = Gaussian(), tf.constant(Gaussian().sample(4, seed=0))
    ends = [
        run(Langevin(0.2, given), density.energy, x, random.root(5), 3)[0]
        for given in (temperature, tf.constant(temperature))
    ]
    np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-6)


def test_one_trace_serves_all_temperatures_and_steps():
    density, x = Gaussian(), tf.constant(Gaussian().sample(4, seed=0))

    @tf.function(autograph=False)
    def traced(step_size, temperature):
        return run(Langevin(step_size, temperature), density.energy, x, random.root(5), 3)[0]

    for step_size, temperature in ((0.2, 1.0), (0.1, 0.0), (0.3, 2.0)):
        expected, _ = run(Langevin(step_size, temperature), density.energy, x, random.root(5), 3)
        found = traced(tf.constant(step_size), tf.constant(temperature))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert traced.experimental_get_tracing_count() == 1


def test_a_variable_holds_the_step_size():
    step_size = tf.Variable(0.3)
    x, _ = run(Langevin(step_size, 0.0), slope([2.0, 0.0]), X, random.root(0), 1)
    np.testing.assert_allclose(x, X - 0.045 * tf.constant([2.0, 0.0]), rtol=1e-6)


def test_gradient_and_noise_may_have_coefficients_of_their_own():
    """x ← x - 3 dU/dx + 0.2 z, the same z as ever."""
    seed = random.root(5)
    found, _ = run(Langevin.from_gradient_step(3.0, 0.2), slope([4.0, -8.0]), X, seed, 1)
    noise = random.normal(X.shape, random.fold_in(seed, 0))
    expected = X - 3 * tf.constant([4.0, -8.0]) + 0.2 * noise
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_noise_scale_of_the_step_times_the_root_of_the_temperature_changes_nothing():
    density, x = Gaussian(), tf.constant(Gaussian().sample(4, seed=0))
    kernels = Langevin(0.2, 4.0), Langevin(0.2, noise_scale=0.4)
    ends = [run(kernel, density.energy, x, random.root(5), 3)[0] for kernel in kernels]
    np.testing.assert_array_equal(*ends)
    assert kernels[0].implied_temperature == 4.0
    assert kernels[1].implied_temperature == pytest.approx(4.0)


def test_the_implied_temperature_is_that_of_the_density():
    """Variance T λ / (1 - ε²/4λ) of 10,000 chains at 5 √(2/n): fails with probability 6e-7."""
    kernel = Langevin.from_gradient_step(0.02, 0.1)
    variance = 0.5

    def bowl(x):
        return tf.reduce_sum(x**2, axis=[1, 2, 3]) / (2 * variance)

    temperature = kernel.implied_temperature
    assert temperature == pytest.approx(0.1**2 / (2 * 0.02))
    expected = temperature * variance / (1 - kernel.step_size**2 / (4 * variance))
    x, _ = run(kernel, bowl, tf.zeros([10_000, 1, 1, 1]), random.root(1), 400)
    assert abs(np.mean(x.numpy() ** 2) / expected - 1) < 5 * np.sqrt(2 / 10_000)


def test_a_negative_gradient_step_is_refused():
    with pytest.raises(UserError, match="gradient_step: expected a number above 0"):
        Langevin.from_gradient_step(-1.0, 0.1)


def test_the_noise_free_kernel_is_the_drift_alone():
    kernel = Langevin(0.5, 2.0, max_grad_norm=3.0, bounds=(-9.0, 9.0), noise_scale=0.3)
    assert kernel.noise_free() == Langevin(0.5, 0.0, 3.0, (-9.0, 9.0))


def test_scaling_keeps_step_and_noise_in_proportion():
    assert Langevin(0.2, 3.0).scaled(0.5, 2.0) == Langevin(0.1, 6.0)
    scaled = Langevin(0.2, noise_scale=0.4).scaled(0.5, 4.0)
    assert (scaled.step_size, scaled.noise_scale) == (0.1, 0.4)
    assert scaled.implied_temperature == pytest.approx(4 * 4.0)
