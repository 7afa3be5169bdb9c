"""The critic of Wasserstein introspective networks: its table, and what it does not depend on."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import portability, random
from tfgen.errors import UserError
from tfgen.nets.architectures.pooled import PooledDiscriminator
from tfgen.nets.families import winn


@pytest.mark.parametrize(
    ("shape", "filters"),
    [
        ((32, 32, 3), [24, 48, 96, 96]),
        ((64, 64, 3), [24, 48, 96, 192, 192]),
        ((48, 48, 3), [24, 48, 96, 96]),
        ((28, 28, 1), [24, 48, 48]),
        ((8, 8, 1), [24, 24]),
        ((5, 5, 1), [24]),
    ],
)
def test_layers_follow_from_the_size_of_images(shape, filters):
    net = winn.discriminator(shape)
    assert net.filters == filters
    assert net(np.zeros((2, *shape), np.float32)).shape == (2,)


def test_the_net_for_32x32_has_the_weights_of_its_table():
    convolutions = 9 * (3 * 24 + 24 * 48 + 48 * 96 + 96 * 96) + 24 + 48 + 96 + 96
    assert winn.discriminator((32, 32, 3)).count_params() == (
        convolutions + 2 * (48 + 96 + 96) + 16 * 96
    )


def test_training_and_inference_are_one_function_and_no_image_sees_another():
    net = PooledDiscriminator([4, 6, 6], (8, 8, 2))
    x = random.normal([5, 8, 8, 2], random.root(0))
    np.testing.assert_array_equal(net(x, training=True), net(x, training=False))
    np.testing.assert_allclose(net(x)[1:2], net(x[1:2]), rtol=1e-5)


def test_normalization_makes_the_score_blind_to_contrast_above_the_first_layers():
    """Scaling a layer's input from the second on leaves the normalized responses as they are."""
    net = PooledDiscriminator([4, 6], (8, 8, 1))
    x = random.normal([3, 8, 8, 1], random.root(0))
    before = net(x).numpy()
    for conv in net.convs[1:]:
        conv.kernel.assign(7 * conv.kernel)
    np.testing.assert_allclose(net(x), before, rtol=1e-3, atol=1e-4)


def test_halving_takes_means_of_blocks_in_both_forms():
    x = random.normal([2, 4, 6, 3], random.root(0))
    expected = x.numpy().reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(portability.halved(x), expected, rtol=1e-5, atol=1e-6)
    with portability.portable():
        np.testing.assert_allclose(portability.halved(x), expected, rtol=1e-5, atol=1e-6)


def test_features_are_those_of_the_last_three_layers():
    net = PooledDiscriminator([4, 6, 8], (8, 8, 1))
    assert net.features(tf.zeros([2, 8, 8, 1])).shape == (2, 64 * 4 + 16 * 6 + 4 * 8)


def test_images_that_cannot_be_halved_are_refused():
    with pytest.raises(UserError, match=r"sides that 4 divides.*6x8"):
        PooledDiscriminator([4, 6, 8], (6, 8, 1))
