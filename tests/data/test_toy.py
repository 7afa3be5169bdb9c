"""Toy densities: samples and energies; tests/samplers/test_moments.py tests their moments."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen.data import toy


def test_a_gaussians_energy_is_minus_scipys_log_density():
    density = toy.Gaussian()
    x = density.sample(20, seed=0)
    expected = -stats.multivariate_normal(density.mean, density.covariance).logpdf(x.reshape(-1, 2))
    np.testing.assert_allclose(density.energy(tf.constant(x)), expected, rtol=1e-5, atol=1e-5)


def test_a_mixtures_energy_is_minus_its_log_density():
    density = toy.Mixture()
    x = density.sample(20, seed=0).reshape(-1, 2)
    parts = [stats.multivariate_normal(m, density.scale**2).pdf(x) for m in density.means]
    np.testing.assert_allclose(
        density.energy(tf.constant(x.reshape(-1, 1, 1, 2))),
        -np.log(np.mean(parts, axis=0)),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize("name", toy.DENSITIES)
def test_draws_are_small_images_and_the_same_for_the_same_seed(name):
    density = toy.DENSITIES[name]
    draws = density.sample(10, seed=1)
    assert (draws.shape, draws.dtype) == ((10, *toy.SHAPE), np.float32)
    np.testing.assert_array_equal(draws, density.sample(10, seed=1))
    assert not np.array_equal(draws, density.sample(10, seed=2))
