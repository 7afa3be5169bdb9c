"""Step sizes tuned to an acceptance: on densities of all scales, within training, and its end."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.samplers import HMC, MALA, Adapted, Langevin, Scheduled, adapt, run, run_from_state

SEED = random.root(0)
CHAINS = 16
KERNELS = {"mala": MALA(0.1), "hmc": HMC(0.1, 4)}
every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)


def gaussian(scale):
    """White noise of this standard deviation, up to its constant."""
    return lambda x: tf.reduce_sum((x / scale) ** 2, axis=1) / 2


def start(scale, dimensions=20):
    """Exact draws."""
    return scale * random.normal([CHAINS, dimensions], random.root(7))


def tuned_acceptance(adapted, energy, x, steps=100):
    """The mean acceptance of the step size that a warm-up of 200 steps ends with."""

    @tf.function(autograph=False)
    def found():
        state, _ = run_from_state(adapted, energy, adapted.init(energy, x), SEED, 200)
        tuned = adapted.kernel.scaled(step=tf.exp(state.log_factor))
        _, summary = run(tuned, energy, state.x, SEED, steps)
        return tf.reduce_mean(summary.mean.acceptance)

    return float(found())


@every_kernel
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_acceptance_ends_near_its_target_on_any_scale(kernel, scale):
    """A step of 0.1 is 10, 0.1 or 0.001 standard deviations."""
    adapted = Adapted(kernel, num_steps=200)
    found = tuned_acceptance(adapted, gaussian(scale), start(scale))
    assert abs(found - kernel.target_acceptance) < 0.1


@every_kernel
@pytest.mark.parametrize("target", [0.3, 0.9])
def test_another_target_may_be_asked_for(kernel, target):
    adapted = Adapted(kernel, num_steps=200, target=target)
    assert abs(tuned_acceptance(adapted, gaussian(1.0), start(1.0)) - target) < 0.1


def test_after_the_warm_up_the_step_stays_and_steps_are_the_kernels():
    kernel, x, energy = MALA(0.1), start(1.0), gaussian(1.0)
    adapted = Adapted(kernel, num_steps=10)
    warm, _ = run_from_state(adapted, energy, adapted.init(energy, x), SEED, 10)
    later, _ = run_from_state(adapted, energy, warm, random.root(1), 5)
    assert warm.log_factor == later.log_factor != 0
    tuned = kernel.scaled(step=float(tf.exp(warm.log_factor)))
    expected, _ = run(tuned, energy, warm.x, random.root(1), 5)
    np.testing.assert_allclose(later.x, expected, rtol=1e-3, atol=1e-4)


@every_kernel
def test_an_adapted_step_size_persists_between_updates_of_training(kernel):
    """In one traced update that is called 100 times, while the energy's scale falls to a tenth."""
    step_size, updates = tf.Variable(0.01), tf.Variable(0)
    x = tf.Variable(start(1.0))
    scale = tf.Variable(1.0)

    @tf.function(autograph=False)
    def update():
        moving = dataclasses.replace(kernel, step_size=step_size.value())
        seed = random.fold_in(SEED, updates)
        end, summary = run(moving, gaussian(scale), x, seed, 5)
        found = tf.reduce_mean(summary.mean.acceptance)
        count = tf.minimum(updates, 30)
        step_size.assign(adapt(step_size, found, kernel.target_acceptance, count))
        x.assign(end)
        updates.assign_add(1)
        scale.assign(tf.maximum(0.98 * scale, 0.1))
        return found

    accepted = [float(update()) for _ in range(150)]
    assert update.experimental_get_tracing_count() == 1
    assert abs(np.mean(accepted[-25:]) - kernel.target_acceptance) < 0.1


def test_steps_that_are_accepted_too_often_grow_and_others_shrink():
    assert adapt(0.1, 0.9, 0.574, 0) > 0.1 > adapt(0.1, 0.2, 0.574, 0)
    assert float(adapt(0.1, 0.574, 0.574, 3)) == pytest.approx(0.1)


def test_adaptations_become_smaller_with_their_number():
    moves = [float(tf.math.log(adapt(1.0, 1.0, 0.5, count))) for count in (0, 10, 150)]
    np.testing.assert_allclose(moves, 0.5 * np.array([1, 2, 16]) ** -0.75, rtol=1e-5)


def test_a_kernel_that_never_rejects_keeps_its_step():
    kernel = Langevin(0.1)
    _, summary = run(kernel, gaussian(1.0), start(1.0), SEED, 3)
    found = tf.reduce_mean(summary.mean.acceptance)
    adapted = adapt(kernel.step_size, found, kernel.target_acceptance, 0)
    assert float(adapted) == pytest.approx(0.1)
    with pytest.raises(UserError, match="found Langevin, which never rejects"):
        Adapted(kernel, 10)
    with pytest.raises(UserError, match="never rejects"):
        Adapted(Langevin(0.1), 10, target=0.5)


def test_an_adapted_kernel_may_follow_a_schedule_and_cools_down_without_noise():
    kernel = Adapted(Scheduled(MALA(0.1), 5, 0.5), 10)
    assert kernel.target_acceptance == MALA(0.1).target_acceptance
    assert Adapted(MALA(0.1), 10).noise_free() == Langevin(0.1, 0.0)
