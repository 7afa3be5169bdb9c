"""Every kernel against densities of known moments, by independent chains and stated failure rates.

A test of k numbers at Z standard errors fails by chance with a probability of at most k * 6e-7.
Each number is a mean over independent chains. Its standard error is the chains' standard deviation
over the root of their number.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen import random
from tfgen.data.toy import Gaussian, Mixture, PiecewiseGaussian
from tfgen.samplers import HMC, MALA, Langevin, run

Z = 5.0
"""Standard errors; a normal deviate is further off with a probability of 6e-7."""

CHAINS = 10_000
DENSITIES = {
    "correlated": Gaussian(),
    "mixture": Mixture(components=3, radius=0.2, scale=0.1),
    "piecewise": PiecewiseGaussian(),
}
EXACT_KERNELS = {"mala": (MALA(0.15), 400), "hmc": (HMC(0.12, 4), 80)}
"""Kernels that reject, and steps that are many relaxation times."""


def move(kernel, density, start, num_steps, seed=1):
    """The ends of independent chains, [n, 2]."""
    walk = tf.function(
        lambda x: run(kernel, density.energy, x, random.root(seed), num_steps)[0], autograph=False
    )
    return walk(tf.constant(start, tf.float32)).numpy().reshape(-1, 2).astype(np.float64)


def deviations(draws, mean, covariance):
    """How many standard errors the five first and second moments of independent draws are off."""
    centred = draws - mean
    products = np.stack(
        [centred[:, 0] ** 2, centred[:, 0] * centred[:, 1], centred[:, 1] ** 2], axis=1
    )
    numbers = np.concatenate([centred, products], axis=1)
    expected = np.concatenate([[0, 0], np.asarray(covariance)[[0, 0, 1], [0, 1, 1]]])
    return (numbers.mean(axis=0) - expected) / (numbers.std(axis=0) / np.sqrt(len(draws)))


def far_off(num):
    """Starts that no density here would draw: one wide square, off centre."""
    corner = random.uniform((num, 1, 1, 2), random.root(99), -0.5, 1.0)
    return corner.numpy()


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_exact_draws_have_the_stated_moments(density):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6."""
    draws = density.sample(100_000, seed=0).reshape(-1, 2).astype(np.float64)
    assert np.all(np.abs(deviations(draws, density.mean, density.covariance)) < Z)


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_energies_are_normalised_log_densities(density):
    """The sum over a grid is within its truncation, 1e-3, of one."""
    axis = (np.arange(600) + 0.5) / 600 * 6 - 3
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 1, 2).astype(np.float32)
    mass = (
        np.exp(-density.energy(tf.constant(points)).numpy().astype(np.float64)).sum()
        * (6 / 600) ** 2
    )
    assert abs(mass - 1) < 1e-3


@pytest.mark.parametrize(("kernel", "num_steps"), EXACT_KERNELS.values(), ids=EXACT_KERNELS)
@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_adjusted_kernels_converge_to_the_density_from_far_off(kernel, num_steps, density):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6."""
    draws = move(kernel, density, far_off(CHAINS), num_steps)
    assert np.all(np.abs(deviations(draws, density.mean, density.covariance)) < Z)


@pytest.mark.parametrize("kernel", [MALA(0.3), HMC(0.2, 3)], ids=["mala", "hmc"])
@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_adjusted_kernels_leave_exact_draws_exact_at_a_large_step(kernel, density):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6."""
    start = density.sample(CHAINS, seed=2)
    draws = move(kernel, density, start, 20)
    assert np.all(np.abs(deviations(draws, density.mean, density.covariance)) < Z)
    assert np.mean(draws == start.reshape(-1, 2)) < 0.5


@pytest.mark.parametrize(("kernel", "num_steps"), EXACT_KERNELS.values(), ids=EXACT_KERNELS)
def test_adjusted_kernels_draw_the_whole_piecewise_density_and_not_only_its_moments(
    kernel, num_steps
):
    """Kolmogorov and Smirnov's test of a coordinate; fails with a probability of 1e-6."""
    density = DENSITIES["piecewise"]
    draws, exact = (
        move(kernel, density, far_off(CHAINS), num_steps),
        density.sample(CHAINS, seed=3).reshape(-1, 2),
    )
    assert stats.ks_2samp(draws[:, 0], exact[:, 0]).pvalue > 1e-6


@pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
def test_langevin_with_a_small_step_keeps_the_density(density):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6.

    The step biases a variance by at most ε² / 4 s² = 0.01 of the narrowest part's, under half a
    standard error. 400 steps are two or more relaxation times of the narrow directions.
    """
    draws = move(Langevin(0.02), density, density.sample(CHAINS, seed=4), 400)
    assert np.all(np.abs(deviations(draws, density.mean, density.covariance)) < Z)


def unadjusted_covariance(density, step_size, temperature=1.0):
    """Computes the stationary covariance of x ← x - ε²/2 P x + ε √T z.

    In a direction of variance λ it is T λ / (1 - ε²/4λ).
    """
    values, vectors = np.linalg.eigh(density.covariance)
    return vectors * (temperature * values / (1 - step_size**2 / (4 * values))) @ vectors.T


@pytest.mark.parametrize(
    "density", [Gaussian(), Gaussian(correlation=0.0)], ids=["correlated", "round"]
)
def test_langevin_with_a_large_step_has_exactly_its_known_bias(density):
    """10 numbers, of which 5 at 5 standard errors: fails by chance with a probability of 3e-6."""
    biased = unadjusted_covariance(density, 0.2)
    draws = move(Langevin(0.2), density, density.sample(CHAINS, seed=5), 100)
    assert np.all(np.abs(deviations(draws, density.mean, biased)) < Z)
    assert np.abs(deviations(draws, density.mean, density.covariance)).max() > Z


@pytest.mark.parametrize("kernel", [MALA(0.2), HMC(0.2, 3)], ids=["mala", "hmc"])
@pytest.mark.parametrize(
    "density", [Gaussian(), Gaussian(correlation=0.0)], ids=["correlated", "round"]
)
def test_adjusted_kernels_do_not_have_langevins_bias_at_the_same_step(kernel, density):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6."""
    draws = move(kernel, density, density.sample(CHAINS, seed=6), 50)
    assert np.all(np.abs(deviations(draws, density.mean, density.covariance)) < Z)
    assert np.abs(deviations(draws, density.mean, unadjusted_covariance(density, 0.2))).max() > Z


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize(
    ("kernel", "num_steps"),
    [(Langevin(0.1), 400), (MALA(0.2), 200), (HMC(0.1, 5), 60)],
    ids=["langevin", "mala", "hmc"],
)
def test_temperature_multiplies_a_gaussians_covariance(kernel, num_steps, temperature):
    """5 numbers at 5 standard errors: fails by chance with a probability of 3e-6."""
    density = Gaussian(correlation=0.5)
    kernel = dataclasses.replace(kernel, temperature=temperature)
    expected = temperature * density.covariance
    if isinstance(kernel, Langevin):
        expected = unadjusted_covariance(density, kernel.step_size, temperature)
    draws = move(kernel, density, density.sample(CHAINS, seed=7), num_steps)
    assert np.all(np.abs(deviations(draws, density.mean, expected)) < Z)


def test_mala_reports_the_acceptance_that_it_has():
    """Moves are as frequent as it says, to 5 standard errors: fails with probability 6e-7."""
    density = Gaussian()
    start = tf.constant(density.sample(CHAINS, seed=8))
    moved, summary = run(MALA(0.3), density.energy, start, random.root(0), 1)
    share = np.any(moved.numpy() != start.numpy(), axis=(1, 2, 3)) - summary.mean.acceptance.numpy()
    assert abs(share.mean()) < Z * share.std() / np.sqrt(CHAINS)
    assert 0.2 < summary.mean.acceptance.numpy().mean() < 0.9
