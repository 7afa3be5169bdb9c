"""Adam on the image: Algorithm 1 of its paper, the lengths of its steps, its bounds."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.data.toy import Mixture
from tfgen.samplers import Adam, run

SEED = random.root(0)
X = random.normal([3, 2, 2, 1], SEED)


def slope(gradient):
    """An energy of this constant gradient."""
    return lambda x: tf.reduce_sum(x * tf.constant(gradient, tf.float32), axis=[1, 2, 3])


def bowl(x):
    """|x - 1/2|² / 2."""
    return tf.reduce_sum((x - 0.5) ** 2, axis=[1, 2, 3]) / 2


def by_hand(x, gradient, steps, step_size, beta_1, beta_2):
    """Algorithm 1 of Adam's paper in float64."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        x = x - step_size * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + 1e-8)
    return x


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    step_size=st.floats(0.001, 0.2),
    beta_1=st.floats(0, 0.95),
    beta_2=st.floats(0.5, 0.999),
    steps=st.integers(1, 30),
)
def test_a_run_is_algorithm_1_of_the_paper(step_size, beta_1, beta_2, steps):
    """To 1e-4 of the distance: float32's 1 - beta_2 is off by 6e-5 at the largest beta_2."""
    found, _ = run(Adam(step_size, beta_1, beta_2), bowl, X, SEED, steps)
    expected = by_hand(np.float64(X), lambda x: x - 0.5, steps, step_size, beta_1, beta_2)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * steps * step_size + 1e-6)


def test_the_first_step_has_its_size_in_every_pixel_whatever_the_slope():
    gradient = np.array([[[100.0], [-1e-3]], [[1.0], [0.0]]])
    x, _ = run(Adam(0.05), slope(gradient), tf.zeros([2, 2, 2, 1]), SEED, 1)
    np.testing.assert_allclose(x, np.broadcast_to(-0.05 * np.sign(gradient), x.shape), rtol=1e-4)


def test_under_a_constant_slope_all_steps_have_that_size():
    x, _ = run(Adam(0.05, 0.9), slope([[[3.0]]]), tf.zeros([2, 1, 1, 1]), SEED, 12)
    np.testing.assert_allclose(x, tf.fill(x.shape, -0.6), rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_factor_on_the_energy_changes_nothing(factor):
    """Slopes of 1e-3 to 1e3 beside an epsilon of 1e-8."""
    ends = [run(Adam(0.05), lambda x, f=f: f * bowl(x), X, SEED, 20)[0] for f in (1.0, factor)]
    np.testing.assert_allclose(*ends, rtol=0, atol=2e-4)


def test_no_slope_leaves_x_unchanged():
    x, _ = run(Adam(0.3), slope([[[0.0]]]), X, SEED, 5)
    np.testing.assert_array_equal(x, X)


def test_pixels_do_not_touch_each_other():
    start = tf.concat([X[:, :1], X[:, 1:] + 1], axis=1)
    ends = [run(Adam(0.1), bowl, x, SEED, 7)[0].numpy() for x in (X, start)]
    np.testing.assert_array_equal(ends[0][:, :1], ends[1][:, :1])
    assert not np.array_equal(ends[0][:, 1:], ends[1][:, 1:])


def test_bounds_hold_after_every_step_and_are_reached():
    kernel = Adam(0.1, bounds=(-0.25, 0.75))
    kept = run(kernel, slope([[[1.0]], [[-1.0]]]), tf.zeros([2, 2, 1, 1]), SEED, 20, keep_every=1)[
        1
    ].kept.numpy()
    assert (kept.min(), kept.max()) == (-0.25, 0.75)
    np.testing.assert_allclose(kept[1, 0, :, 0, 0], [-0.2, 0.2], rtol=1e-4)


def test_every_step_reports_the_energy_and_slope_where_it_began():
    x = random.normal([4, 1, 1, 2], SEED)
    _, summary = run(Adam(0.1), Mixture().energy, x, SEED, 1)
    np.testing.assert_allclose(summary.last.energy, Mixture().energy(x), rtol=1e-6)
    np.testing.assert_array_equal(summary.last.acceptance, np.ones(4))


def test_a_run_does_not_depend_on_the_seed():
    ends = [run(Adam(0.1), bowl, X, random.root(seed), 5)[0].numpy() for seed in (0, 1)]
    np.testing.assert_array_equal(*ends)
