"""Early stopping: at which step, of which mean, and that nothing else changes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.samplers import Descent, Langevin, Until, run

SEED = random.root(0)
HALVING = Langevin(1.0, temperature=0.0)
"""Under a curvature of one, each step halves x."""


def bowl(x):
    """|x|² / 2."""
    return tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2


def points(*values):
    """A batch of images of one pixel."""
    return tf.constant(values, tf.float32)[:, None, None, None]


def steps(threshold, window, most=40, start=(4.0,)):
    """How many are taken."""
    return int(
        run(Until(HALVING, threshold, window), bowl, points(*start), SEED, most)[1].num_steps
    )


def expected_steps(threshold, window, most=40, start=(4.0,)):
    """Means over windows of U at the start of each step, 0.25^i times the first; the first window to be low enough."""
    u = np.mean(np.square(start)) / 2 * 0.25 ** np.arange(most)
    low = [n for n in range(window, most + 1) if u[n - window : n].mean() <= threshold]
    return min(low, default=most)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(exponent=st.floats(-8, 1.5), window=st.integers(1, 20))
def test_it_stops_with_the_first_window_whose_mean_is_low_enough(exponent, window):
    """Thresholds at random, so that none is met to within rounding."""
    assert steps(10.0**exponent, window) == expected_steps(10.0**exponent, window)


@pytest.mark.parametrize("window", [1, 5, 20])
def test_it_never_stops_before_its_window_is_full(window):
    """However low the energy is from the start."""
    assert steps(1e30, window) == window


def test_it_stops_at_the_threshold_itself():
    """U is 8, 2, 0.5, 0.125 exactly."""
    assert [steps(threshold, 1) for threshold in (8.0, 2.0, 0.5, 0.124)] == [1, 2, 3, 5]


def test_the_mean_is_over_the_batch():
    """The example that is low waits for the other."""
    start = (1e-3, 4.0)
    assert steps(0.3, 1, start=start) == expected_steps(0.3, 1, start=start) == 3
    assert steps(0.3, 1, start=(1e-3,)) == 1


def test_a_threshold_that_is_never_reached_leaves_the_most_steps():
    assert steps(-1.0, 3, most=12) == 12


def test_an_energy_that_is_no_number_is_never_low_enough():
    assert (
        run(Until(HALVING, 1.0), lambda x: bowl(x) * np.nan, points(1.0), SEED, 7)[1].num_steps == 7
    )


@pytest.mark.parametrize("threshold", [0.2, tf.constant(0.2)], ids=["number", "tensor"])
def test_until_then_its_steps_are_the_kernels(threshold):
    kernel, x = Langevin(0.5), random.normal([4, 1, 1, 1], SEED)
    found, summary = run(Until(kernel, threshold), bowl, x, SEED, 100)
    assert 1 < summary.num_steps < 100
    np.testing.assert_array_equal(found, run(kernel, bowl, x, SEED, summary.num_steps)[0])


def test_it_rests_when_its_kernel_does():
    """Descent is at the bottom after one step, far above the threshold."""
    x, summary = run(Until(Descent(1.0), -1.0), bowl, points(1.0), SEED, 6)
    assert summary.num_steps == 1
    np.testing.assert_array_equal(x, points(0.0))


def test_apiece_each_example_rests_where_it_would_alone():
    kernel = Until(HALVING, 0.3, window=2, apiece=True)
    start = points(1e-3, 4.0, 60.0)
    found, _ = run(kernel, bowl, start, SEED, 40)
    alone = [
        run(Until(HALVING, 0.3, window=2), bowl, start[i : i + 1], SEED, 40)[0] for i in range(3)
    ]
    np.testing.assert_allclose(found, tf.concat(alone, axis=0), rtol=1e-6)
