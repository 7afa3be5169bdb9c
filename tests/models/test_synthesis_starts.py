"""What synthesis starts from: the statistics of noise of several scales."""

import numpy as np
import tensorflow as tf
from scipy import signal

from tfgen import random
from tfgen.models.synthesis import SCALES, smooth_noise


def covariance(shift):
    """Returns the covariance of pixels some rows apart: the mean overlap of the squares."""
    return np.mean([max(0.0, 1 - shift / side) for side in SCALES])


def test_smooth_noise_has_variance_1_and_the_covariance_of_overlapping_squares():
    """Of 4,000 columns of 60 rows, each its own draw, one number each per pair of rows.

    A product of two normals of variance 1 has a standard deviation of at most √2, and so their mean
    one of √2 / √4,000. At 5 of these, the 5 comparisons fail with a probability of 3e-6.
    """
    x = smooth_noise((4_000, 60, 1, 1), random.root(0)).numpy()[:, :, 0, 0]
    for shift in (0, 1, 3, 10, 40):
        found = np.mean(x[:, 5] * x[:, 5 + shift])
        assert abs(found - covariance(shift)) < 5 * np.sqrt(2 / 4_000)


def test_smooth_noise_that_wraps_around_is_as_alike_across_the_border_as_inside():
    """The covariance of the last row and the first is that of neighbours; see above for 6e-7."""
    x = smooth_noise((1_000, 40, 35, 1), random.root(0), True).numpy()[:, :, 0, 0]
    assert abs(np.mean(x[:, 0] * x[:, -1]) - covariance(1)) < 5 * np.sqrt(2 / 1_000)
    apart = smooth_noise((1_000, 40, 35, 1), random.root(0), False).numpy()[:, :, 0, 0]
    assert abs(np.mean(apart[:, 0] * apart[:, -1])) < 5 * np.sqrt(2 / 1_000)


def test_smooth_noise_is_smooth():
    """White noise has as much power in its finest half as in all others; this has far less."""
    x = smooth_noise((4, 64, 64, 1), random.root(0)).numpy()[..., 0]
    _, power = signal.periodogram(x, axis=1)
    assert power[:, 16:].sum() < 0.35 * power.sum()


def test_each_of_several_seeds_draws_its_own_share():
    seeds = tf.stack([random.root(0), random.root(1)])
    both = smooth_noise(tf.constant([2, 9, 8, 3]), seeds)
    for number in range(2):
        alone = smooth_noise((1, 9, 8, 3), random.root(number))
        np.testing.assert_allclose(both[number], alone[0], atol=1e-6)
