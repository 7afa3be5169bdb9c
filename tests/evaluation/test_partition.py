"""Annealed importance sampling against a closed form."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, random
from tfgen.evaluation.partition import log_partition


@pytest.mark.parametrize("sigma", [1.0, 0.3])
def test_the_constant_of_a_linear_score_is_half_its_squared_norm(sigma):
    """f = <a, y> with y = (x - mean) / sigma: log Z = |a|² / 2, in units of sigma, so sigma²|a/sigma|² / 2 in pixels.

    200 weights whose logarithms, annealed over 100 temperatures, have a standard deviation below 0.5 give an
    error of 0.04; 0.2 is five of it.
    """
    a, mean = tf.constant([1.0, -1.5]), np.float32([0.2, 0.1])
    energy = energies.tilted(lambda y: -tf.reduce_sum(a * y, axis=[1, 2, 3]), sigma, mean)
    estimate = tf.function(
        lambda: log_partition(
            energy, (1, 1, 2), sigma, mean, random.root(0), chains=200, temperatures=100, step_size=0.5 * sigma
        ),
        autograph=False,
    )
    assert float(estimate()) == pytest.approx(3.25 / 2, abs=0.2)


def test_the_constant_of_the_reference_itself_is_zero():
    energy = energies.white_noise(0.5)
    found = log_partition(energy, (1, 1, 2), 0.5, 0.0, random.root(0), chains=4, temperatures=3, step_size=0.2)
    assert float(found) == pytest.approx(0, abs=1e-5)
