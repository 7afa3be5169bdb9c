"""Every kernel has a noise-free form, can be scaled, survives as plain data, declares its facts."""

import json

import numpy as np
import pytest
import tensorflow as tf
from support import kernels

from tfgen import random, samplers
from tfgen.data.toy import Gaussian
from tfgen.types import Noise

every_kernel = pytest.mark.parametrize("cls", kernels.CLASSES)
START = random.normal([4, 1, 1, 2], random.root(0))


def end(kernel, seed=0, steps=4):
    """Returns where a run ends."""
    return samplers.run(kernel, Gaussian().energy, START, random.root(seed), steps)[0].numpy()


@every_kernel
def test_the_noise_free_form_does_not_depend_on_the_seed(cls):
    """Patches cover an image of one pixel whatever the seed."""
    kernel = kernels.build(cls).noise_free()
    np.testing.assert_allclose(end(kernel, 0), end(kernel, 1), rtol=1e-6)
    assert not np.array_equal(end(kernel), START)


@every_kernel
def test_the_noise_free_form_is_its_own(cls):
    kernel = kernels.build(cls).noise_free()
    assert kernel.noise_free() == kernel


@every_kernel
def test_factors_of_one_change_nothing(cls):
    kernel = kernels.build(cls)
    assert kernel.scaled() == kernel
    assert kernel.scaled(step=2.0).scaled(step=0.5) == kernel
    assert kernel.scaled(step=2.0) != kernel


def slope(x):
    """Returns an energy of slope one in every element, far above zero."""
    return 100 + tf.reduce_sum(x, axis=[1, 2, 3])


@every_kernel
def test_a_shorter_step_leads_less_far(cls):
    kernel = kernels.build(cls).noise_free()
    far, near = (
        np.abs(samplers.run(k, slope, START, random.root(0), 1)[0] - START)
        for k in (kernel, kernel.scaled(step=0.1))
    )
    assert 0 < near.max() < 0.5 * far.max()


@every_kernel
def test_a_kernel_survives_json(cls):
    kernel = kernels.build(cls)
    described = json.loads(json.dumps(samplers.config(kernel)))
    assert samplers.from_config(described) == kernel


@every_kernel
def test_a_kernel_that_rejects_says_at_which_acceptance_it_is_best(cls):
    kernel = kernels.build(cls)
    assert 0.5 < kernel.target_acceptance <= 1
    bold = kernel.scaled(step=20.0)
    _, summary = samplers.run(bold, Gaussian().energy, START, random.root(0), 3)
    rejects = summary.mean.acceptance.numpy().min() < 1
    assert (kernel.target_acceptance < 1) == rejects or cls is samplers.Descent


@every_kernel
def test_the_reported_energy_is_that_of_the_point_before_or_after_the_step(cls):
    kernel = kernels.build(cls)
    state = kernel.init(Gaussian().energy, START)
    new, info = kernel.step(Gaussian().energy, state, random.root(0))
    point = new.x if kernel.reports_new_point else state.x
    np.testing.assert_allclose(info.energy, Gaussian().energy(point), rtol=1e-4, atol=1e-5)


@every_kernel
def test_a_kernel_that_takes_given_noise_moves_by_it_as_by_its_draws(cls):
    kernel = kernels.build(cls)
    if not kernel.takes_given_noise:
        pytest.skip("draws something else than a standard normal for each element")
    seed = random.root(0)
    draws = [random.normal(START.shape, random.fold_in(seed, i)) for i in range(3)]
    found, _ = samplers.run(kernel, Gaussian().energy, START, Noise(tf.stack(draws)), 3)
    np.testing.assert_allclose(found, end(kernel, steps=3), rtol=1e-6)
