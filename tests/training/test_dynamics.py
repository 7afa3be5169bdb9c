"""Dynamics of training: the step size and the temperature of each update and of each step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random, samplers
from tfgen.errors import UserError
from tfgen.training.dynamics import FOLLOWING, Dynamics

SEED = random.root(0)
START = tf.zeros([2, 3])


def slope(x):
    """Returns the energy sum(x), whose gradient is 1 everywhere."""
    return tf.reduce_sum(x, axis=1)


def moves(dynamics, num_steps, step=0):
    """Returns how far each step of an update's run moves, [num_steps, 2, 3]."""
    kernel = dynamics.kernel_at(tf.constant(step, tf.int64), num_steps)
    _, summary = samplers.run(kernel, slope, START, SEED, num_steps, keep_every=1)
    return np.diff(np.concatenate([START[None], summary.kept]), axis=0)


@pytest.mark.parametrize(
    ("step", "step_size", "temperature"),
    [(0, 0.1, 2.0), (5, 0.01, 1.0), (10, 0.001, 0.5), (25, 0.001, 0.5)],
)
def test_step_size_and_temperature_go_geometrically_to_their_final_values(
    step, step_size, temperature
):
    """At half of the updates they are the geometric means; after all of them they stay."""
    dynamics = Dynamics(
        step_size=0.1,
        temperature=2.0,
        final_step_size=0.001,
        final_temperature=0.5,
        anneal_updates=10,
    )
    kernel = dynamics.kernel_at(tf.constant(step, tf.int64), num_steps=1)
    assert float(kernel.step_size) == pytest.approx(step_size, rel=1e-5)
    assert float(kernel.temperature) == pytest.approx(temperature, rel=1e-5)


def test_the_first_and_the_last_kernel_have_the_first_and_the_final_values():
    dynamics = Dynamics(step_size=0.1, final_step_size=0.001, final_temperature=0.5)
    assert dynamics.first == samplers.Langevin(0.1, 1.0)
    assert dynamics.last == samplers.Langevin(0.001, 0.5)


def test_without_final_values_every_update_has_the_first_ones():
    dynamics = Dynamics(step_size=0.1, temperature=2.0, max_grad_norm=3.0, bounds=(-1.0, 1.0))
    expected = samplers.Langevin(0.1, 2.0, 3.0, (-1.0, 1.0))
    kernels = [dynamics.kernel_at(tf.constant(step), num_steps=5) for step in (0, 10_000)]
    assert [*kernels, dynamics.first, dynamics.last] == [expected] * 4


def test_the_step_size_of_a_run_goes_to_its_factor():
    """Without noise, a step moves by half of the squared step size: here 1, 1/2 and 1/4 of 0.2."""
    found = moves(Dynamics(step_size=0.2, temperature=0.0, run_step_factor=0.25), 3)
    expected = -0.5 * (0.2 * np.array([1, 0.5, 0.25])) ** 2
    np.testing.assert_allclose(
        found, np.broadcast_to(expected[:, None, None], (3, 2, 3)), rtol=1e-4
    )


def test_a_temperature_factor_of_zero_ends_a_run_without_noise():
    """Of three steps the temperatures are 1, 1/2 and 0 of 4; the noise is that of the seed."""
    usual = moves(Dynamics(step_size=0.2, temperature=4.0), 3)
    found = moves(Dynamics(step_size=0.2, temperature=4.0, run_temperature_factor=0.0), 3)
    drift = -0.5 * 0.2**2
    np.testing.assert_allclose(found[0], usual[0], rtol=1e-5)
    np.testing.assert_allclose(found[1] - drift, (usual[1] - drift) / 2**0.5, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[2], drift, rtol=1e-4)
    assert np.abs(usual[2] - drift).min() > 1e-3


def test_factors_of_a_run_multiply_the_values_of_its_update():
    dynamics = Dynamics(
        step_size=0.4, temperature=0.0, final_step_size=0.1, anneal_updates=2, run_step_factor=0.5
    )
    found = moves(dynamics, 2, step=1)[:, 0, 0]  # 0.4 times (1/4)^(1/2), then half of it
    np.testing.assert_allclose(found, [-0.5 * 0.2**2, -0.5 * 0.1**2], rtol=1e-4)


# the adapted step size


def owner_and_step_size(dynamics):
    """Returns a layer that owns the adapted step size, and the step size."""
    owner = keras.layers.Layer()
    return owner, dynamics.tracked_step_size(owner)


@pytest.mark.parametrize("kernel", ["mala", "hmc"])
def test_the_adapted_step_size_is_a_saved_weight_that_the_kernel_follows(kernel):
    dynamics = Dynamics(kernel=kernel, step_size=0.3, target_acceptance=0.6)
    owner, step_size = owner_and_step_size(dynamics)
    assert [weight is step_size for weight in owner.weights] == [True]
    assert float(step_size) == pytest.approx(0.3)
    step_size.assign(0.7)
    found = dynamics.kernel_at(tf.constant(0), 5, step_size)
    assert type(found) is type(dynamics.first)
    assert float(found.step_size) == pytest.approx(0.7)


@pytest.mark.parametrize(("step", "count"), [(0, 0), (30, 30), (10_000, FOLLOWING)])
def test_the_step_size_moves_towards_the_target_and_never_stops_following(step, count):
    """log ε moves by (1 + n / 10)^-0.75 (acceptance - target), with n held at `FOLLOWING`."""
    dynamics = Dynamics(kernel="mala", step_size=0.3, target_acceptance=0.6)
    _, step_size = owner_and_step_size(dynamics)
    dynamics.adapt(step_size, tf.constant([1.0, 0.8]), tf.constant(step, tf.int64))
    expected = 0.3 * np.exp((1 + count / 10) ** -0.75 * (0.9 - 0.6))
    assert float(step_size) == pytest.approx(expected, rel=1e-5)


def test_without_a_target_there_is_no_step_size_to_adapt():
    dynamics = Dynamics(kernel="mala")
    owner, step_size = owner_and_step_size(dynamics)
    assert step_size is None
    assert owner.weights == []
    dynamics.adapt(None, tf.constant([1.0]), tf.constant(0))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"target_acceptance": 0.57},
            "target_acceptance: expected 0 for langevin, which accepts every step, and found "
            "0.57; choose --kernel=mala or hmc",
        ),
        (
            {"kernel": "mala", "target_acceptance": 0.57, "final_step_size": 0.1},
            "final_step_size: expected none, since target_acceptance adapts the step size",
        ),
        (
            {"kernel": "mala", "run_temperature_factor": 0.0},
            "run_temperature_factor: expected a number above 0 for the kernel mala, whose "
            "Metropolis correction has no meaning at a temperature of 0, and found 0",
        ),
        (
            {"temperature": 0.0, "final_temperature": 0.5},
            "temperature: expected a number above 0, since a geometric change to "
            "final_temperature cannot start from 0, and found 0",
        ),
    ],
)
def test_what_a_kernel_cannot_do_is_refused(options, sentence):
    with pytest.raises(UserError) as caught:
        Dynamics(**options)
    assert str(caught.value) == sentence
