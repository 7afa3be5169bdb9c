"""Early stopping: at which step, of which mean, and that nothing else changes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.samplers import Adam, Descent, Langevin, Patchwork, Until, run

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
    """The first window whose mean of U is low enough; U starts step i at 0.25^i of the first."""
    u = np.mean(np.square(start)) / 2 * 0.25 ** np.arange(most)
    low = [n for n in range(window, most + 1) if u[n - window : n].mean() <= threshold]
    return 1 if u[0] <= threshold else min(low, default=most)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(exponent=st.floats(-8, 1.5), window=st.integers(1, 20))
def test_it_stops_with_the_first_window_whose_mean_is_low_enough(exponent, window):
    """Thresholds at random, so that none is met to within rounding."""
    assert steps(10.0**exponent, window) == expected_steps(10.0**exponent, window)


@pytest.mark.parametrize("window", [1, 5, 20])
def test_a_start_that_is_high_moves_until_its_window_is_full(window):
    """U is 8, 2, 0.5, ...: below 7.9 from the second step on."""
    assert steps(7.9, window) == max(2, window)


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
    """The last step finds the energy low enough and does not move."""
    kernel, x = Langevin(0.5), random.normal([4, 1, 1, 1], SEED)
    found, summary = run(Until(kernel, threshold), bowl, x, SEED, 100)
    assert 1 < summary.num_steps < 100
    np.testing.assert_array_equal(found, run(kernel, bowl, x, SEED, summary.num_steps - 1)[0])


@pytest.mark.parametrize("per_example", [False, True])
def test_it_ends_where_the_energy_is_low_enough(per_example):
    """And not one step further."""
    kernel = Until(Adam(0.1), 0.5, per_example=per_example)
    x, _ = run(kernel, bowl, points(3.0, -4.0), SEED, 100)
    u = bowl(x) if per_example else tf.reduce_mean(bowl(x))
    assert tf.reduce_all(u <= 0.5)
    assert tf.reduce_all(u > 0.4)


@pytest.mark.parametrize("window", [1, 20])
@pytest.mark.parametrize("per_example", [False, True])
def test_a_start_that_is_low_enough_does_not_move(per_example, window):
    """Adam's first step would be as long as its step size, in every pixel."""
    start = points(0.1, -0.2)
    kernel = Until(Adam(0.5), 1.0, window, per_example=per_example)
    x, summary = run(kernel, bowl, start, SEED, 50)
    np.testing.assert_array_equal(x, start)
    assert summary.num_steps == 1  # the look at the energy


@pytest.mark.parametrize("window", [1, 3])
def test_one_example_that_starts_low_enough_rests_while_another_moves(window):
    start = points(0.1, 4.0)
    x, summary = run(Until(Adam(0.5), 1.0, window, per_example=True), bowl, start, SEED, 50)
    assert x[0, 0, 0, 0] == start[0, 0, 0, 0]
    assert bowl(x)[1] <= 1.0
    assert summary.num_steps > 2


def test_kernels_that_report_the_point_they_lead_to_do_not_leave_a_low_start():
    x, summary = run(Until(Descent(0.5), 0.5), bowl, points(0.5), SEED, 50)
    np.testing.assert_array_equal(x, points(0.5))
    assert summary.num_steps == 0


def test_kernels_that_report_the_point_they_lead_to_end_there():
    """Descent by halves reports 2, 0.5, 0.125 from a start of 8."""
    x, summary = run(Until(Descent(0.5), 0.5), bowl, points(4.0), SEED, 50)
    np.testing.assert_allclose(x, points(1.0))
    assert summary.num_steps == 2


def test_it_rests_when_its_kernel_does():
    """Descent is at the bottom after one step, far above the threshold."""
    x, summary = run(Until(Descent(1.0), -1.0), bowl, points(1.0), SEED, 6)
    assert summary.num_steps == 1
    np.testing.assert_array_equal(x, points(0.0))


MOVERS = {
    "monotone": HALVING,
    "overshooting": Adam(1.0),
    "patches": Patchwork(Adam(0.2), size=1, number=1),
}


@pytest.mark.parametrize("mover", MOVERS.values(), ids=MOVERS)
@pytest.mark.parametrize("window", [1, 2])
def test_per_example_each_rests_where_it_would_alone(mover, window):
    """Also where the moves that a resting example ignores would raise its energy again.

    Runs of one example draw other patches, so that these are of one pixel, which is the image.
    """
    kernel = Until(mover, 0.3, window, per_example=True)
    start = points(1e-3, 1.3, 4.0, 9.0)
    found, _ = run(kernel, bowl, start, SEED, 40)
    alone = [run(kernel, bowl, start[i : i + 1], SEED, 40)[0] for i in range(4)]
    np.testing.assert_allclose(found, tf.concat(alone, axis=0), rtol=1e-6)


def test_an_example_at_rest_is_not_woken_by_energies_that_rise_again():
    """Adam overshoots the bottom; its energy is above the threshold again before others rest."""
    kernel = Until(Adam(1.0), 0.2, per_example=True)
    kept = run(kernel, bowl, points(0.5, 20.0), SEED, 40, keep_every=1)[1].kept
    free = run(Adam(1.0), bowl, points(0.5, 20.0), SEED, len(kept), keep_every=1)[1].kept
    assert bowl(free[:, 0]).numpy().max() > 0.2
    np.testing.assert_array_equal(kept[:, 0], tf.fill(kept[:, 0].shape, 0.5))
