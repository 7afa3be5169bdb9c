"""No energy has a constant of its own, which would not change its density."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import random
from tfgen.nets.architectures.activations import ACTIVATIONS


def cases():
    """Yields each family with each activation; one of each architecture is not slow."""
    for family in net_registry.of("energy"):
        options = inspect.signature(net_registry.net_function(family, "energy")).parameters
        fast = (family, "energy") in net_registry.REPRESENTATIVES
        for activation in ACTIVATIONS if "activation" in options else [None]:
            marks = [] if fast else [pytest.mark.slow]
            yield pytest.param(family, activation, marks=marks)


@pytest.mark.parametrize(("family", "activation"), list(cases()))
def test_every_net_has_no_bias_on_top(family, activation):
    """The gradient in a constant would be the same for all images."""
    options = {} if activation is None else {"activation": activation}
    net, shape = net_registry.net(family, **options)
    x = random.normal([4, *shape], random.root(0))
    used = []
    for each in tf.split(x, 4):
        with tf.GradientTape() as tape:
            u = net(each, training=True)
        gradients = tape.gradient(u, [v.value for v in net.trainable_variables])
        assert all(np.isfinite(g).all() for g in gradients if g is not None)
        used.append([g for g in gradients if g is not None])
    # the tops of the smaller depths of a net that grows are at rest
    assert len(used[0]) >= len(net.trainable_variables) - (net.max_depth - 1)
    for gradients in zip(*used, strict=True):
        first, *others = (np.asarray(g) for g in gradients)
        assert any(not np.array_equal(first, other) for other in others)
