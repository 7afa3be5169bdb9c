"""The Metropolis-adjusted Langevin algorithm, step by step."""

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.samplers import MALA, Langevin, run


def test_the_acceptance_is_metropolis_and_hastings_ratio():
    """Computed anew in float64.

    The proposal is Langevin's step with the first half of the seed.
    """
    density, kernel = Gaussian(), MALA(0.3, temperature=2.0)
    seed = random.root(7)
    x = tf.constant(density.sample(50, seed=0))
    _, info = kernel.step(density.energy, kernel.init(density.energy, x), seed)
    propose, _ = random.split(seed)
    y, _ = Langevin(0.3, temperature=2.0).step(
        density.energy, Langevin(0.3).init(density.energy, x), propose
    )

    precision = np.linalg.inv(density.covariance)
    x, y = (t.numpy().reshape(-1, 2).astype(np.float64) - density.mean for t in (x, y[0]))
    drift = np.eye(2) - 0.3**2 / 2 * precision

    def log_joint(start, end):
        return (
            -np.sum(start @ precision * start, 1) / 2 / 2
            - np.sum((end - start @ drift) ** 2, 1) / 2 / 0.3**2 / 2
        )

    expected = np.exp(np.minimum(0, log_joint(y, x) - log_joint(x, y)))
    np.testing.assert_allclose(info.acceptance, expected, rtol=1e-4, atol=1e-6)


def test_a_rejection_keeps_x_and_its_energy():
    """A wall of infinite energy beyond |x| = 1 is never entered, nor is its NaN."""

    def energy(x):
        u = tf.reduce_sum(x**2, axis=[1, 2, 3])
        return tf.where(
            u < 1, u, tf.where(x[:, 0, 0, 0] > 0, np.float32(np.inf), np.float32(np.nan))
        )

    x, summary = run(MALA(0.8), energy, tf.zeros([200, 1, 1, 2]), random.root(0), 50)
    u = energy(x).numpy()
    assert np.all(u < 1)
    np.testing.assert_array_equal(summary.last.energy, u)
    assert np.all(summary.mean.acceptance.numpy() < 1)


def test_a_tiny_step_is_almost_always_accepted():
    """1 - acceptance is of the order of ε³."""
    density = Gaussian(correlation=0.0)
    _, summary = run(
        MALA(1e-2), density.energy, tf.constant(density.sample(100, seed=0)), random.root(0), 10
    )
    assert summary.mean.acceptance.numpy().min() > 0.99
