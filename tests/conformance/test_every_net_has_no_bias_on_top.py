"""No energy has a constant of its own: a filter on top has no bias, and gradients are finite and reach all in use."""

import numpy as np
import pytest
import tensorflow as tf
from support import registry

from tfgen import random
from tfgen.nets.architectures.scoring import ACTIVATIONS


@pytest.mark.parametrize("family", registry.of("energy"))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_net_has_no_bias_on_top(family, activation):
    net, shape = registry.net(family, activation=activation)
    assert net.top is None or not net.top.use_bias
    x = random.normal([4, *shape], random.root(0))
    with tf.GradientTape() as tape:
        u = tf.reduce_sum(net(x, training=True))
    used = [
        w
        for conv in [*net.layers_in_use, *([net.top] if net.top else [])]
        for w in conv.trainable_variables
    ]
    for gradient in tape.gradient(u, [w.value for w in used]):
        assert gradient is not None
        assert np.isfinite(gradient).all()
