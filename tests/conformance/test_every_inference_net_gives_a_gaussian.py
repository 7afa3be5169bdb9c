"""Every inference net gives each image a float32 mean and log-variance of its latent shape."""

import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import random


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("inference"))
def test_every_inference_net_gives_a_gaussian(family, role, policy):
    """It is the same alone and in a batch, to the rounding of the compute type."""
    net, shape = net_registry.net(family, role, policy)
    generator, _ = net_registry.net(family, "generator")
    x = random.normal([4, *shape], random.root(0))
    found = net(x, training=False)
    assert len(found) == 2
    assert not np.array_equal(*found)
    rounding = 1e-5 if policy == "float32" else 2e-2
    for i, values in enumerate(found):
        assert (values.shape, values.dtype) == ((4, *generator.latent_shape), tf.float32)
        alone = np.concatenate([net(x[j : j + 1], training=False)[i] for j in range(4)])
        np.testing.assert_allclose(
            values, alone, rtol=rounding, atol=rounding * np.abs(values).max()
        )
    assert all(weight.dtype == "float32" for weight in net.weights)


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("inference"))
def test_every_inference_nets_gradients_are_finite_and_reach_all_weights(family, role):
    net, shape = net_registry.net(family, role)
    with tf.GradientTape() as tape:
        mean, log_var = net(random.normal([4, *shape], random.root(0)), training=True)
        loss = tf.reduce_sum(mean**2) + tf.reduce_sum(log_var**2)
    for gradient in tape.gradient(loss, [w.value for w in net.trainable_variables]):
        assert np.isfinite(gradient).all()
        assert np.any(gradient)
