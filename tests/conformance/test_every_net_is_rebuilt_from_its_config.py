"""Every net is rebuilt from its JSON config; with its weights it computes the same, bit for bit."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen.nets.convolution import implementations

FLAGS = ("batch_norm", "spectral_norm", "he_start")
"""Options of nets that are on or off; a net is asked with all of them switched, too."""


def options(family, role):
    """Returns options that differ from a net's defaults."""
    parameters = inspect.signature(net_registry.net_function(family, role)).parameters
    return {n: not p.default for n, p in parameters.items() if n in FLAGS}


def rebuilt(net):
    """Returns a net from another's config, as it comes back from a JSON file."""
    text = json.dumps(keras.saving.serialize_keras_object(net))
    return keras.saving.deserialize_keras_object(json.loads(text))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("switched", [False, True])
@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture())
def test_every_net_is_rebuilt_from_its_config(family, role, switched, policy):
    if switched and not options(family, role):
        return
    chosen = options(family, role) if switched else {}
    net, _ = net_registry.net(family, role, policy, **chosen)
    other = rebuilt(net)
    assert (type(other), other.name, other.built) == (type(net), net.name, True)
    assert other.dtype_policy.name == net.dtype_policy.name == policy
    weights = {v.path: v for v in net.variables}
    assert len(weights) == len(net.variables)
    assert [(v.path, v.shape, v.dtype, v.trainable) for v in other.variables] == [
        (v.path, v.shape, v.dtype, v.trainable) for v in net.variables
    ]
    for variable in other.variables:
        variable.assign(weights[variable.path].value)
    x = net_registry.inputs(net, role)
    for training in (False, True):
        outputs = (tf.nest.flatten(n(x, training=training)) for n in (net, other))
        for ours, theirs in zip(*outputs, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture())
def test_the_names_of_weights_do_not_depend_on_the_nets_made_before(family, role):
    first, second = (net_registry.net(family, role)[0] for _ in range(2))
    names = list(first.named_variables())
    assert names == list(second.named_variables())
    assert len(names) == len(first.variables)
    assert [f"{first.name}/{name}" for name in names] == [v.path for v in first.variables]


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture())
def test_a_rebuilt_net_convolves_as_is_the_default_where_it_is_rebuilt(family, role):
    """A layer that was told how to convolve keeps to it."""
    net, _ = net_registry.net(family, role)
    with implementations.defaulting_to("direct"):
        layers = rebuilt(net)._flatten_layers(include_self=False)
    ways = {layer.convolution for layer in layers if "convolution" in vars(layer)}
    assert ways <= {"direct"}


@pytest.mark.parametrize(("family", "role"), net_registry.per_architecture("energy"))
def test_a_rebuilt_energy_is_as_deep_as_it_had_grown(family, role):
    net, _ = net_registry.net(family, role)
    x = net_registry.inputs(net, "energy")
    for depth in range(1, net.max_depth + 1):
        net.depth = depth
        other = rebuilt(net)
        assert other.depth == depth
        other.set_weights(net.get_weights())
        np.testing.assert_array_equal(other(x, training=False), net(x, training=False))
