"""The discriminator of images and latents: its layers, what it computes, what it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.architectures.joint_discriminator import JointDiscriminator
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.families import triangle_celeba64, triangle_cifar10, triangle_digits, triangle_mnist

SHAPES = {
    triangle_digits: (8, 8, 1),
    triangle_mnist: (28, 28, 1),
    triangle_cifar10: (32, 32, 3),
    triangle_celeba64: (64, 64, 3),
}
every_family = pytest.mark.parametrize(
    "family", SHAPES, ids=lambda family: family.__name__.rpartition(".")[2]
)


@every_family
def test_images_pass_the_layers_of_the_energy_and_latents_are_the_generators(family):
    shape = SHAPES[family]
    net = family.joint_discriminator(shape, width=0.1)
    energy, generator = (
        getattr(family, role)(shape, width=0.1) for role in ("energy", "generator")
    )
    *below, whole = (conv.kernel.shape for conv in net.convs)
    assert below == [conv.kernel.shape for conv in energy.convs]
    assert tuple(whole[:2]) == tuple(energy.top.kernel.shape[:2])
    assert net.latent_shape == generator.latent_shape
    odds = net((tf.zeros([2, *shape]), tf.zeros([2, *generator.latent_shape])))
    assert (odds.shape, odds.dtype) == ((2,), tf.float32)


def test_hidden_is_the_number_of_filters_of_its_own_layers_whatever_the_width():
    net = triangle_digits.joint_discriminator((8, 8, 1), width=0.1, hidden=7, latent_dim=3)
    filters = [net.convs[-1].filters, net.latent.filters, net.joint.filters]
    assert filters == [7, 7, 7]
    assert tuple(net.joint.kernel.shape) == (1, 1, 14, 7)
    assert net.latent_shape == (3,)


def test_a_net_of_single_filters_is_what_can_be_computed_by_hand():
    """Leaky ReLUs of slope 0.2 of 2 x and of -3 z, then of their sum, then 4 of it plus 1."""
    latent, joint = (Conv(1, 1, use_bias=False) for _ in range(2))
    net = JointDiscriminator(
        [Conv(1, 1, use_bias=False)], latent, joint, Conv(1, 1), (1,), (1, 1, 1)
    )
    for v, value in zip(net.trainable_variables, (2.0, -3.0, [1.0, 1.0], 4.0, 1.0), strict=True):
        v.assign(np.reshape(value, v.shape))
    pair = tf.reshape([0.5, -0.5, 0.25], [3, 1, 1, 1]), tf.reshape([-1.0, 1.0, 1.0], [3, 1])
    expected = [4 * (1 + 3) + 1, 4 * 0.2 * (-0.2 - 0.6) + 1, 4 * 0.2 * (0.5 - 0.6) + 1]
    np.testing.assert_allclose(net(pair), expected, rtol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_both_parts_of_a_pair_matter_and_each_example_stands_alone(policy):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    try:
        net = triangle_digits.joint_discriminator((8, 8, 1), width=0.2)
        x, z = random.normal([3, 8, 8, 1], random.root(0)), random.normal([3, 16], random.root(1))
        odds = net((x, z))
        assert odds.dtype == tf.float32
        assert np.abs(odds - net((x[::-1], z)))[0] > 1e-3
        assert np.abs(odds - net((x, z[::-1])))[0] > 1e-3
        alone = np.concatenate([net((x[i : i + 1], z[i : i + 1])) for i in range(3)])
        rounding = 1e-5 if policy == "float32" else 3e-2
        np.testing.assert_allclose(odds, alone, rtol=rounding, atol=rounding)
    finally:
        keras.config.set_dtype_policy("float32")


def test_images_too_small_are_refused():
    with pytest.raises(UserError, match="image_size: expected larger images"):
        triangle_mnist.joint_discriminator((1, 1, 1))
