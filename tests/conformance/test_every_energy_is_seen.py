"""Every algorithm with one energy of images: its landscape, its likelihood, its long chains, its steepness."""

import numpy as np
import pytest
import tensorflow as tf
from support import registry

from tfgen import random
from tfgen.data.examples import Examples, Images
from tfgen.distributions import Reference
from tfgen.evaluation.landscape import Landscape
from tfgen.evaluation.likelihood import Likelihood
from tfgen.evaluation.mixing import Mixing

WITH_ENERGY = [
    name
    for name in registry.ALGORITHMS
    if (found := registry.build(name).endpoints().get("energy")) is not None
    and found.inputs == ["image"]
]
QUICK = {
    Landscape: {"num_images": 4, "descent_steps": 3, "band_steps": 2, "points": 3},
    Likelihood: {"num_images": 4, "chains": 2, "temperatures": 2, "most_temperatures": 2},
    Mixing: {"chains": 2, "num_steps": 1},
}


def data(name):
    """Six pictures to learn from, the same held out."""
    algorithm, image = registry.build(name), registry.batch(name)["image"].numpy()
    split = Examples(image, np.arange(len(image)) % registry.CLASSES)
    return algorithm, Images(split, split, image.shape[1:], len(image))


def test_the_triangle_and_the_cascade_are_among_them():
    assert {"divergence_triangle", "acd", "introspective"} <= set(WITH_ENERGY)


@pytest.mark.slow
@pytest.mark.parametrize("cls", QUICK, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("name", WITH_ENERGY)
def test_every_energy_is_measured(name, cls):
    found = dict(cls(*data(name), **QUICK[cls]).run())
    assert found
    assert all(np.isfinite(value) for value in found.values()), found


@pytest.mark.parametrize("name", WITH_ENERGY)
def test_every_energy_has_a_reference(name):
    """Its draws are images of finite energy, and of the space that is sampled without bounds."""
    tasks = registry.build(name).tasks
    assert isinstance(tasks.reference, Reference)
    x = tasks.reference.sample((3, *tasks.image_shape), random.root(0))
    assert np.isfinite(tasks.reference.pulled_back(tasks.energy)(tasks.reference.free(x))).all()


@pytest.mark.parametrize("name", WITH_ENERGY)
def test_steepness_is_the_slope_of_the_energy(name):
    """Root mean square over channels of its gradient."""
    endpoints = registry.build(name).endpoints()
    x = registry.batch(name)["image"][:2]
    found = endpoints["anomaly"].fn(x)
    np.testing.assert_allclose(found["energy"], endpoints["energy"].fn(x)["energy"], rtol=1e-5)
    assert found["steepness"].shape == (*x.shape[:3], 1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        u = endpoints["energy"].fn(x)["energy"]
    slope = tape.gradient(u, x)
    np.testing.assert_allclose(
        found["steepness"][..., 0], np.sqrt((slope.numpy() ** 2).mean(axis=-1)), atol=1e-4
    )
