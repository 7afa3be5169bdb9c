"""Models of several scales: sizes from coarse to fine, samples of any size, what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random, samplers
from tfgen.errors import UserError
from tfgen.models import PyramidModel, Sampling
from tfgen.nets.families import generative_convnet_digits, patchwise_convnet

SHAPE = (32, 32, 1)
KERNEL = samplers.Langevin.from_gradient_step(0.1, 0.01, bounds=(-1.0, 1.0))


def build(net=None, **options):
    """Returns a model of three scales, 8, 16 and 32 pixels, whose energies are learned."""
    net = net or patchwise_convnet.energy(SHAPE, width=0.1)
    given = {"sigma": 0.3, "scales": 3, "coarsest": 0.25, "sampling": Sampling(KERNEL, 2)}
    model = PyramidModel(net, image_shape=SHAPE, image_mean=[0.2], **(given | options))
    for scale in range(model.scales):
        for weight in net.trainable_variables:
            weight.assign(1.1 * weight.value)
        model.snapshots.keep(net, tf.constant(scale))
    return model


@pytest.mark.parametrize(("scales", "expected"), [(3, [16, 32, 64]), (1, [64]), (2, [16, 64])])
def test_sides_grow_geometrically_to_the_finest(scales, expected):
    model = build(scales=scales)
    numbers = [model.side(64, scale) for scale in range(scales)]
    tensors = [int(model.side(tf.constant(64), scale)) for scale in range(scales)]
    assert numbers == tensors == expected


def test_a_sample_is_moved_and_enlarged_from_scale_to_scale():
    model, seed = build(), random.root(0)
    x = model.start(2, (32, 32), random.fold_in(seed, 3))
    for scale, side in enumerate((8, 16, 32)):
        x = tf.image.resize(x, (side, side), antialias=True)
        energy = model.energy_at(scale)
        x, _ = samplers.run(KERNEL, energy, x, random.fold_in(seed, scale), 2)
    np.testing.assert_allclose(model.generate(2, seed=seed), x, rtol=1e-4, atol=1e-5)


def test_a_picture_of_the_own_size_is_the_same_by_either_task():
    model = build()
    one, other = model.generate(1, seed=4), model.synthesize(1, seed=4, size=(32, 32))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_samples_of_any_size_lie_in_the_box():
    found = build().synthesize(2, seed=1, size=(24, 52))
    assert found.shape == (2, 24, 52, 1)
    assert np.abs(found).max() <= 1


def test_a_scale_that_is_not_learned_leaves_the_noise():
    net = patchwise_convnet.energy(SHAPE, width=0.1)
    model = PyramidModel(
        net, image_shape=SHAPE, image_mean=[0.2], sigma=0.1, scales=1, coarsest=1.0,
        sampling=Sampling(samplers.Langevin(0.1, 0.0), 2),
    )  # fmt: skip
    found = np.array(model.generate(4, seed=0))
    assert found.mean() == pytest.approx(0.2, abs=0.01)  # 6 standard errors
    assert found.std() == pytest.approx(0.1, rel=0.1)


def test_a_net_of_one_size_is_refused():
    with pytest.raises(UserError, match="nets: expected a net of one energy"):
        build(generative_convnet_digits.energy((32, 32, 1), width=0.1))


def test_the_density_has_the_temperature_that_a_step_implies():
    """A step of s = 0.1 with noise of σ = 0.01 samples at T = σ² / 2s = 0.0005."""
    model = build()
    x = random.normal((2, *SHAPE), random.root(0))
    np.testing.assert_allclose(model.target().energy(x), model.energy(x) / 5e-4, rtol=1e-5)


def test_steps_without_noise_have_no_density():
    still = samplers.Langevin.from_gradient_step(0.1, 0.0, bounds=(-1.0, 1.0))
    with pytest.raises(UserError, match="noise_scale: expected a number above 0"):
        build(sampling=Sampling(still, 2)).target()
