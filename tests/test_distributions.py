"""Known distributions: constants and moments by quadrature, draws, and the change of variables."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen import random
from tfgen.distributions import Gaussian, TruncatedGaussian, Uniform
from tfgen.errors import UserError

SEED = random.root(0)
BOXED = {
    "uniform": Uniform(),
    "uniform elsewhere": Uniform((0.0, 3.0)),
    "truncated": TruncatedGaussian(0.5),
    "truncated off centre": TruncatedGaussian(0.4, 0.7),
    "truncated and wide": TruncatedGaussian(5.0, 0.2),
    "truncated in its tail": TruncatedGaussian(0.3, -2.0),
    "truncated elsewhere": TruncatedGaussian(1.0, 0.0, (0.0, 3.0)),
}
every_boxed = pytest.mark.parametrize("distribution", BOXED.values(), ids=BOXED)
CHANNELS = np.float32([-0.8, 0.0, 0.5])


def grid(low, high, num=20_001):
    """Points of one element, [num, 1, 1, 1], and their distance."""
    points = np.linspace(low, high, num, dtype=np.float32)
    return points.reshape(-1, 1, 1, 1), (high - low) / (num - 1)


def mass(energy, low, high):
    """The integral of exp(-energy) by the trapezoidal rule."""
    points, spacing = grid(low, high)
    values = np.exp(-energy(tf.constant(points)).numpy().astype(np.float64))
    return np.trapezoid(values, dx=spacing)


@every_boxed
def test_the_density_integrates_to_one_over_its_box(distribution):
    assert mass(distribution.energy, *distribution.bounds) == pytest.approx(1, abs=1e-4)


@every_boxed
def test_the_density_of_unconstrained_points_integrates_to_one(distribution):
    """The ends hold less than 1e-6 of the mass beyond |y| = 30."""
    energy = distribution.unconstrained_energy(distribution.energy)
    assert mass(energy, -30.0, 30.0) == pytest.approx(1, abs=1e-3)


def test_white_noise_integrates_to_one_in_both_spaces():
    noise = Gaussian(0.4, np.float32(0.1))
    assert mass(noise.energy, -4.0, 4.0) == pytest.approx(1, abs=1e-4)
    assert mass(noise.unconstrained_energy(noise.energy), -4.0, 4.0) == pytest.approx(1, abs=1e-4)


@every_boxed
def test_unconstrain_and_constrain_are_inverses(distribution):
    x = distribution.sample((1000, 1, 1, 1), SEED)
    back = distribution.constrain(distribution.unconstrain(x))
    np.testing.assert_allclose(back, x, atol=3e-4 * distribution.half_width)


@every_boxed
def test_the_walls_are_finite_points_without_bounds(distribution):
    walls = tf.reshape(tf.constant(distribution.bounds), [2, 1, 1, 1])
    assert np.isfinite(distribution.unconstrain(walls)).all()


@every_boxed
def test_draws_have_the_moments_of_the_density(distribution):
    """Mean and second moment of 40,000 draws at 5 standard errors: fails with probability 1e-6."""
    low, high = distribution.bounds
    points, _ = grid(low, high)
    density = np.exp(-distribution.energy(tf.constant(points)).numpy().astype(np.float64))
    x = distribution.sample((40_000, 1, 1, 1), SEED).numpy().ravel().astype(np.float64)
    assert low <= x.min() and x.max() <= high
    for power in (1, 2):
        values = points.ravel().astype(np.float64) ** power
        expected = np.trapezoid(values * density, points.ravel())
        error = (x**power).std() / math.sqrt(len(x))
        assert abs((x**power).mean() - expected) < 5 * error


@pytest.mark.parametrize("mean", [0.0, 0.7, -5.0, 5.0])
def test_truncated_draws_follow_scipys_truncated_normal(mean):
    """Kolmogorov and Smirnov's test of 20,000 draws: fails with a probability of 1e-6."""
    x = TruncatedGaussian(0.4, mean).sample((20_000, 1), SEED).numpy().ravel()
    exact = stats.truncnorm((-1 - mean) / 0.4, (1 - mean) / 0.4, mean, 0.4)
    assert stats.kstest(x, exact.cdf).pvalue > 1e-6


def test_each_channel_has_its_own_mean_and_constant():
    """Energies against the sum of SciPy's log-densities over 4x5 pixels."""
    distribution = TruncatedGaussian(0.4, CHANNELS)
    x = distribution.sample((6, 4, 5, 3), SEED)
    low, high = ((end - CHANNELS) / 0.4 for end in (-1, 1))
    log_density = stats.truncnorm.logpdf(x.numpy(), low, high, CHANNELS, 0.4)
    np.testing.assert_allclose(distribution.energy(x), -log_density.sum(axis=(1, 2, 3)), rtol=1e-4)


def test_a_wide_truncated_gaussian_is_uniform_and_a_narrow_one_white_noise():
    x = Uniform().sample((5, 2, 2, 3), SEED)
    wide, narrow = TruncatedGaussian(1e3), TruncatedGaussian(0.1)
    np.testing.assert_allclose(wide.energy(x), Uniform().energy(x), rtol=1e-4)
    np.testing.assert_allclose(narrow.energy(0.1 * x), Gaussian(0.1).energy(0.1 * x), rtol=1e-5)


def test_the_uniform_energy_is_the_log_volume():
    np.testing.assert_allclose(Uniform().energy(tf.zeros([2, 3, 4, 1])), [12 * math.log(2)] * 2)


def test_draws_repeat_with_their_seed():
    distribution = TruncatedGaussian(0.5)
    draws = [distribution.sample((3, 4), random.root(seed)).numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


@pytest.mark.parametrize("distribution", [Gaussian(0.4), TruncatedGaussian(0.4)])
def test_curvature_is_the_second_derivative_of_the_energy(distribution):
    x = tf.zeros([1, 1])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            u = distribution.energy(x)
        slope = inner.gradient(u, x)
    second = float(tf.squeeze(outer.gradient(slope, x)))
    assert second == pytest.approx(distribution.curvature, rel=1e-5)


def test_samplers_start_with_a_tenth_of_the_deviation_or_less():
    first = [Gaussian(0.4), TruncatedGaussian(0.4), Gaussian(30.0), Uniform()]
    np.testing.assert_allclose([d.first_step_size for d in first], [0.04, 0.04, 0.1, 0.1])


def test_a_box_that_holds_nothing_of_the_white_noise_is_refused():
    with pytest.raises(UserError, match="which does not"):
        TruncatedGaussian(0.1, 1e200)
