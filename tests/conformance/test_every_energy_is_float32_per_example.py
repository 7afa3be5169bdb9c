"""Every energy net gives one float32 energy an example, alone or in a batch, in bfloat16 too."""

import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import energies, random


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("energy"))
def test_every_energy_is_float32_per_example(family, role, policy):
    net, shape = net_registry.net(family, role, policy)
    x = random.normal([4, *shape], random.root(0))
    u, gradient = energies.value_and_grad(energies.frozen(net), x)
    assert (u.shape, u.dtype) == ((4,), tf.float32)
    assert (gradient.shape, gradient.dtype) == (x.shape, tf.float32)
    assert all(weight.dtype == "float32" for weight in net.weights)
    alone = np.concatenate([net(x[i : i + 1]) for i in range(4)])
    rounding = 1e-5 if policy == "float32" else 2e-2
    np.testing.assert_allclose(u, alone, rtol=rounding, atol=rounding * np.abs(u).max())
