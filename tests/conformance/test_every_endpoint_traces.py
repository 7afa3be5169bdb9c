"""Every endpoint of every model traces with its inputs, and returns its outputs as float32."""

import pytest
import tensorflow as tf
from support import registry


@pytest.mark.parametrize("name", registry.per_model())
def test_every_endpoint_traces(name):
    for endpoint in registry.updated(name).algorithm.model.endpoints().values():
        specs = {known.name: known.spec for known in endpoint.inputs}
        traced = tf.function(endpoint.fn, autograph=False).get_concrete_function(**specs)
        assert set(traced.structured_outputs) == set(endpoint.outputs)
        assert all(output.dtype == tf.float32 for output in traced.structured_outputs.values())
        assert endpoint.meaning.endswith(".")
        assert all(known.meaning for known in endpoint.inputs)


@pytest.mark.parametrize(("name", "other"), list(registry.LIKE.items()))
def test_algorithms_that_are_said_to_have_the_same_kind_of_model_do(name, other):
    """The fast tests ask one of the two alone."""
    first, second = (registry.updated(of).algorithm.model for of in (name, other))
    assert type(first) is type(second)
    assert first.nets.keys() == second.nets.keys()
    assert first.capabilities() == second.capabilities()
