"""Metropolis-corrected kernels in a box: bounces, the exact density, and many pixels at a wall."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.distributions import TruncatedGaussian
from tfgen.samplers import HMC, MALA, Langevin, metropolis, run

BOUNDS = (-1.0, 1.0)
CHAINS = 10_000
KERNELS = {"mala": (MALA(0.4, bounds=BOUNDS), 200), "hmc": (HMC(0.25, 4, bounds=BOUNDS), 60)}
"""Kernels whose bounces are frequent, and steps that are many relaxation times."""

every_kernel = pytest.mark.parametrize(("kernel", "num_steps"), KERNELS.values(), ids=KERNELS)


def ends(kernel, energy, start, num_steps, seed=1):
    """The last points of independent chains, [n, elements]."""
    walk = tf.function(
        lambda x: run(kernel, energy, x, random.root(seed), num_steps)[0], autograph=False
    )
    x = walk(tf.constant(start, tf.float32)).numpy()
    return x.reshape(len(x), -1).astype(np.float64)


@every_kernel
@pytest.mark.parametrize("mean", [0.0, 0.8, -1.5])
def test_a_truncated_gaussian_is_drawn_exactly(kernel, num_steps, mean):
    """Kolmogorov and Smirnov's test of 10,000 chains: fails with a probability of 1e-6."""
    distribution = TruncatedGaussian(0.5, mean)
    x = ends(kernel, distribution.energy, np.zeros((CHAINS, 1, 1, 2)), num_steps)
    exact = stats.truncnorm((-1 - mean) / 0.5, (1 - mean) / 0.5, mean, 0.5)
    for element in x.T:
        assert stats.kstest(element, exact.cdf).pvalue > 1e-6


@every_kernel
def test_a_correlated_gaussian_is_restricted_to_the_box(kernel, num_steps):
    """5 moments against quadrature at 5 standard errors: fails with a probability of 3e-6."""
    energy = Gaussian(mean=(0.6, -0.7), scale=0.6).energy
    axis = np.linspace(-1, 1, 401)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    weight = np.exp(-energy(tf.constant(grid.reshape(-1, 1, 1, 2), tf.float32)).numpy())
    # the trapezoidal rule: points on an edge count half
    weight *= np.prod(np.where(np.abs(grid) == 1, 0.5, 1.0), axis=1)
    weight /= weight.sum()

    def moments(x):
        return np.stack([x[:, 0], x[:, 1], x[:, 0] ** 2, x[:, 0] * x[:, 1], x[:, 1] ** 2], axis=1)

    found = moments(ends(kernel, energy, np.zeros((CHAINS, 1, 1, 2)), num_steps))
    error = found.std(axis=0) / np.sqrt(CHAINS)
    assert np.all(np.abs(found.mean(axis=0) - weight @ moments(grid)) < 5 * error)


@every_kernel
def test_exact_draws_stay_exact(kernel, num_steps):
    """Kolmogorov and Smirnov's test after few and bold steps: fails with a probability of 1e-6."""
    del num_steps
    distribution = TruncatedGaussian(0.5, 0.8)
    start = distribution.sample((CHAINS, 1, 1, 1), random.root(3))
    x = ends(kernel, distribution.energy, start, 5)
    exact = stats.truncnorm((-1 - 0.8) / 0.5, (1 - 0.8) / 0.5, 0.8, 0.5)
    assert stats.kstest(x[:, 0], exact.cdf).pvalue > 1e-6
    assert np.mean(x == start.numpy().reshape(-1, 1)) < 0.5


@pytest.mark.parametrize(
    "kernel", [MALA(0.1, bounds=BOUNDS), HMC(0.1, 3, bounds=BOUNDS)], ids=["mala", "hmc"]
)
def test_many_pixels_at_a_wall_do_not_hold_the_chain(kernel):
    """Without bounces not one proposal in 1,000 would stay inside, as the next test shows."""
    distribution = TruncatedGaussian(0.5, -1.2)
    x = distribution.sample((20, 28, 28, 1), random.root(0))
    _, summary = run(kernel, distribution.energy, x, random.root(1), 5)
    assert summary.mean.acceptance.numpy().mean() > 0.3


def test_plain_proposals_of_many_pixels_at_a_wall_leave_the_box():
    distribution = TruncatedGaussian(0.5, -1.2)
    x = distribution.sample((1000, 28, 28, 1), random.root(0))
    proposed, _ = run(Langevin(0.1), distribution.energy, x, random.root(1), 1)
    inside = np.all(np.abs(proposed.numpy()) <= 1, axis=(1, 2, 3))
    assert not inside.any()


@every_kernel
def test_starts_are_clamped_to_the_box_and_no_step_leaves_it(kernel, num_steps):
    del num_steps
    start = tf.constant([-3.0, 0.5, 7.0])[:, None, None, None]

    def flat(x):
        return 0 * tf.reduce_sum(x, axis=[1, 2, 3])

    x, summary = run(kernel, flat, start, random.root(0), 30, keep_every=1)
    assert np.abs(summary.kept).max() <= 1
    assert np.abs(x).max() <= 1
    np.testing.assert_array_equal(kernel.init(flat, start).x[:, 0, 0, 0], [-1.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("x", "folded", "sign"),
    [
        (0.25, 0.25, 1),
        (-1.0, -1.0, 1),
        (1.0, 1.0, 1),
        (1.25, 0.75, -1),
        (-1.25, -0.75, -1),
        (3.25, -0.75, 1),
        (-3.25, 0.75, 1),
        (5.5, 0.5, -1),
    ],
)
def test_points_are_folded_and_momenta_reversed_by_an_odd_number_of_bounces(x, folded, sign):
    found, momentum = metropolis.reflected(tf.constant([x]), tf.constant([2.0]), BOUNDS)
    assert (float(found[0]), float(momentum[0])) == (folded, 2 * sign)


def test_a_bounce_is_undone_by_going_back():
    """With the momentum reversed, each point and its momentum come back to where they started."""
    x = random.uniform([1000], random.root(0), -1.0, 1.0)
    momentum = 3 * random.normal([1000], random.root(1))
    there, turned = metropolis.reflected(x + momentum, momentum, BOUNDS)
    back, again = metropolis.reflected(there - turned, -turned, BOUNDS)
    np.testing.assert_allclose(back, x, atol=2e-6)
    np.testing.assert_array_equal(again, -momentum)


def test_without_noise_the_box_remains():
    for kernel in (MALA(0.3, 2.0, BOUNDS), HMC(0.3, 7, 2.0, BOUNDS)):
        assert kernel.noise_free() == Langevin(0.3, 0.0, bounds=BOUNDS)
