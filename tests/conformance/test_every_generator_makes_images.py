"""Every generator makes float32 images in [-1, 1], of its shape, of latents of its latent shape."""

import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import random


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("generator"))
def test_every_generator_makes_images(family, role, policy):
    net, shape = net_registry.net(family, role, policy)
    assert all(weight.dtype == "float32" for weight in net.weights)
    z = random.normal([4, *net.latent_shape], random.root(0))
    for training in (False, True):
        image = net(z, training=training)
        assert (image.shape, image.dtype) == ((4, *shape), tf.float32)
        assert np.ptp(image, axis=0).min() > 0  # latents matter at every pixel
    for weight in net.trainable_variables:  # as large as it takes to reach the bounds
        weight.assign(30 * weight.value)
    assert 0.9 < np.abs(net(z, training=False)).max() <= 1


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("generator"))
def test_every_generator_makes_an_image_of_its_own_latents_alone(family, role):
    """It does so in inference mode, to float32 rounding."""
    net, _ = net_registry.net(family, role)
    z = random.normal([3, *net.latent_shape], random.root(0))
    together = net(z, training=False)
    alone = np.concatenate([net(z[i : i + 1], training=False) for i in range(3)])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5 * np.abs(together).max())
