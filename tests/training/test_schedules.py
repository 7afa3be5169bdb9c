"""Schedules over the updates of a training: learning rates and geometric changes."""

import pytest
import tensorflow as tf

from tfgen.training.schedules import Schedule, geometric


def rates(schedule: Schedule, steps) -> list[float]:
    """Returns the rates at some steps."""
    return [float(schedule(tf.constant(step, tf.int64))) for step in steps]


def schedule(**given) -> Schedule:
    """Returns a schedule that is constant but for what is given."""
    usual = {"rate": 0.1, "decay": 1.0, "decay_steps": 10, "warmup_steps": 0, "total_steps": 100}
    return Schedule(**(usual | {"constant_fraction": 1.0} | given))


def test_a_constant_rate_is_constant_to_the_end_and_beyond():
    assert rates(schedule(), [0, 1, 50, 99, 100, 150]) == pytest.approx([0.1] * 6)


def test_a_rate_rises_over_the_warm_up():
    assert rates(schedule(warmup_steps=4), range(6)) == pytest.approx(
        [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    )


def test_a_rate_falls_in_stairs():
    assert rates(schedule(decay=0.5), [0, 9, 10, 19, 20]) == pytest.approx(
        [0.1, 0.1, 0.05, 0.05, 0.025]
    )


def test_a_rate_falls_linearly_to_zero_after_its_constant_part():
    found = rates(schedule(constant_fraction=0.5), [0, 50, 75, 90, 100, 120])
    assert found == pytest.approx([0.1, 0.1, 0.05, 0.02, 0.0, 0.0], abs=1e-8)


def test_the_factor_scales_the_rate_in_a_compiled_step_too():
    found = schedule()
    compiled = tf.function(found)
    step = tf.constant(3, tf.int64)
    assert float(compiled(step)) == pytest.approx(0.1)
    found.factor.assign(0.25)
    assert float(compiled(step)) == pytest.approx(0.025)


@pytest.mark.parametrize(("step", "expected"), [(0, 8.0), (2, 4.0), (6, 1.0), (9, 1.0)])
def test_a_geometric_change_ends_at_its_last_value_and_stays(step, expected):
    """From 8 to 1 in 6 updates: the value is halved every 2."""
    found = geometric(8.0, 1.0, tf.constant(step, tf.int64), total=6)
    assert float(found) == pytest.approx(expected, rel=1e-5)
