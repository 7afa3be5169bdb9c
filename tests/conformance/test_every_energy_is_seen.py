"""Every algorithm with one energy: all measurements of its density, and its steepness."""

import numpy as np
import pytest
import tensorflow as tf
from support import registry

from tfgen import random
from tfgen.data.examples import Examples, Images
from tfgen.distributions import Distribution
from tfgen.evaluation.landscape import Landscape
from tfgen.evaluation.likelihood import Likelihood
from tfgen.evaluation.mixing import Mixing
from tfgen.evaluation.outliers import Outliers


def with_one_energy(name):
    """Returns an algorithm's model if it has an energy of images without classes, or None."""
    model = registry.updated(name).algorithm.model
    return model if "energy" in model.capabilities() and model.num_classes == 1 else None


QUICK = {
    Landscape: {"num_images": 4, "descent_steps": 3, "band_steps": 2, "points": 3},
    Likelihood: {"num_images": 4, "chains": 2, "temperatures": 2, "most_temperatures": 2},
    Mixing: {"chains": 2, "num_steps": 1},
    Outliers: {"num_images": 4},
}
"""A quick protocol for each measurement of a density."""


def data(name):
    """Returns six images to learn from, and the same held out."""
    image = registry.batch(name)["image"].numpy()
    split = Examples(image, np.arange(len(image)) % registry.CLASSES)
    return Images(split, split, image.shape[1:], len(image))


def test_the_triangle_and_the_cascade_are_among_them():
    assert all(map(with_one_energy, ("divergence_triangle", "acd", "introspective")))


def test_every_measurement_of_a_density_is_asked():
    assert set(QUICK) == set(registry.DENSITIES)


@pytest.mark.slow
@pytest.mark.parametrize("cls", QUICK, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_energy_is_measured(name, cls):
    if (model := with_one_energy(name)) is None:
        pytest.skip("has no energy of images, or one for each class")
    found = dict(cls(model, data(name), **QUICK[cls]).run())
    assert found
    assert all(np.isfinite(value) for value in found.values()), found


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_energy_has_a_reference(name):
    """Its draws are images of finite energy, and lie in the space that is sampled."""
    if (model := with_one_energy(name)) is None:
        pytest.skip("has no energy of images, or one for each class")
    target = model.target()
    assert isinstance(target.distribution, Distribution)
    x = target.distribution.sample((3, *target.image_shape), random.root(0))
    energy = target.distribution.unconstrained_energy(target.energy)
    assert np.isfinite(energy(target.distribution.unconstrain(x))).all()


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_steepness_is_the_slope_of_the_energy(name):
    """It is the root mean square of the gradient over channels."""
    if (model := with_one_energy(name)) is None:
        pytest.skip("has no energy of images, or one for each class")
    x = registry.batch(name)["image"][:2]
    energy, steepness = model.anomaly(x)
    np.testing.assert_allclose(energy, model.energy(x), rtol=1e-5)
    assert steepness.shape == (*x.shape[:3], 1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        u = model.energy_fn()(x)
    slope = tape.gradient(u, x).numpy()
    np.testing.assert_allclose(steepness[..., 0], np.sqrt((slope**2).mean(axis=-1)), atol=1e-4)
