"""Every endpoint of every model traces with its inputs, and returns its outputs as float32."""

import pytest
import tensorflow as tf
from support import registry


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_endpoint_traces(name):
    for endpoint in registry.updated(name).algorithm.model.endpoints().values():
        specs = {known.name: known.spec for known in endpoint.inputs}
        traced = tf.function(endpoint.fn, autograph=False).get_concrete_function(**specs)
        assert set(traced.structured_outputs) == set(endpoint.outputs)
        assert all(output.dtype == tf.float32 for output in traced.structured_outputs.values())
        assert endpoint.meaning.endswith(".")
        assert all(known.meaning for known in endpoint.inputs)
