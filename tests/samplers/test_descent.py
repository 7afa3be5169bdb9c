"""Noise-free descent: modes, stopping, kinks."""

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data.toy import Gaussian
from tfgen.samplers import Descent, run

SEED = random.root(0)


def square(x):
    """|x|² / 2."""
    return tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2


def test_descent_reaches_the_mode_of_a_gaussian_and_stops_early():
    """|x - mean| <= tolerance over the smallest curvature, 1 / 0.162."""
    density = Gaussian()
    start = tf.constant(density.sample(20, seed=0))
    x, summary = run(Descent(0.03, tolerance=1e-3), density.energy, start, SEED, 5000)
    error = np.linalg.norm(x.numpy().reshape(-1, 2) - density.mean, axis=1)
    assert error.max() < 1.1 * 1e-3 * np.linalg.eigvalsh(density.covariance).max()
    assert summary.num_steps < 5000
    assert summary.last.grad_norm.numpy().max() <= 1e-3


def test_a_step_of_the_variance_jumps_to_the_mode_at_once():
    start = random.normal([3, 2, 2, 1], SEED)
    x, summary = run(Descent(1.0, tolerance=1e-5), square, start, SEED, 100)
    np.testing.assert_array_equal(x, tf.zeros_like(x))
    assert summary.num_steps == 1


def test_an_example_at_rest_stays_while_others_move():
    start = tf.constant([1e-4, 1.0])[:, None, None, None]
    x, summary = run(Descent(0.1, tolerance=1e-3), square, start, SEED, 1000)
    assert x[0, 0, 0, 0] == start[0, 0, 0, 0]
    assert abs(x[1, 0, 0, 0]) <= 1e-3
    assert 1 < summary.num_steps < 1000


def test_the_energy_never_rises_beyond_its_rounding():
    """Steps ten times too large for the curvature are halved until they fit."""
    start = random.normal([10, 2, 2, 1], SEED)

    def energy(x):
        return 10 * square(x)

    kept = run(Descent(1.0, tolerance=1e-4), energy, start, SEED, 50, keep_every=1)[1].kept
    u = np.stack([energy(x).numpy() for x in [start, *kept]])
    assert np.all(np.diff(u, axis=0) <= 1e-6 * u[:-1])
    assert u[-1].max() < 1e-6 * u[0].min()


def test_a_descent_on_a_kink_rests_when_its_step_has_shrunk():
    """|x| has slope one except at its minimum, which is met to within the smallest step."""
    start = tf.constant([0.7, -0.3])[:, None, None, None]
    x, summary = run(
        Descent(0.1, min_step=1e-3), lambda x: tf.abs(x)[:, 0, 0, 0], start, SEED, 1000
    )
    assert np.abs(x.numpy()).max() <= 2 * 0.1 * 1e-3
    assert summary.num_steps < 1000


def test_a_gradient_of_exactly_zero_is_rest_at_any_tolerance():
    x, summary = run(Descent(0.5), square, tf.zeros([2, 1, 1, 1]), SEED, 20)
    np.testing.assert_array_equal(x, tf.zeros_like(x))
    assert summary.num_steps == 0


def test_descent_does_not_depend_on_the_seed():
    start = random.normal([3, 1, 1, 2], SEED)
    ends = [
        run(Descent(0.01), Gaussian().energy, start, random.root(seed), 20)[0].numpy()
        for seed in (0, 1)
    ]
    np.testing.assert_array_equal(*ends)
