"""The terms of the papers' objectives, against closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfgen import losses


def test_the_energy_difference_has_minus_the_likelihoods_gradient():
    """U = -theta.x + |x|² / 2 is N(theta, 1): the log-likelihood's gradient is mean(data) - theta.

    Exact draws leave a standard error of 1 / √m in each of 3 entries: at 5 of these, fails with 2e-6.
    """
    rng = np.random.default_rng(0)
    theta = tf.Variable([0.5, -1.0, 2.0])
    data = tf.constant(rng.normal(size=(50, 3)) + 1, tf.float32)
    samples = tf.constant(rng.normal(size=(40_000, 3)) + theta.numpy(), tf.float32)

    def energy(x):
        return -tf.linalg.matvec(x, theta) + tf.reduce_sum(x**2, axis=1) / 2

    with tf.GradientTape() as tape:
        loss = losses.energy_difference(energy(data), energy(samples))
    exact = data.numpy().mean(axis=0) - theta.numpy()
    assert np.all(np.abs(tape.gradient(loss, theta) + exact) < 5 / np.sqrt(40_000))
    assert np.abs(exact).min() > 10 * 5 / np.sqrt(40_000)


def test_the_energy_difference_is_a_difference_of_means():
    assert losses.energy_difference(tf.constant([1.0, 3.0]), tf.constant([4.0, 5.0, 6.0])) == -3.0


def test_cross_entropy_is_minus_the_mean_log_probability_of_the_labels():
    rng = np.random.default_rng(0)
    logits, label = 5 * rng.normal(size=(20, 4)), rng.integers(0, 4, 20)
    expected = -np.mean(special.log_softmax(logits, axis=1)[np.arange(20), label])
    found = losses.cross_entropy(tf.constant(logits, tf.float32), tf.constant(label, tf.int32))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_is_finite_for_huge_logits():
    assert losses.cross_entropy(tf.constant([[1e4, -1e4]]), tf.constant([1])) == 2e4


def test_reconstruction_sums_over_pixels_and_averages_over_images():
    image, mean = tf.ones([2, 3, 4, 5]), tf.zeros([2, 3, 4, 5])
    assert losses.reconstruction(image, mean) == 3 * 4 * 5 / 2
