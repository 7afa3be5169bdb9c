"""Every endpoint of every algorithm traces with its signature, has named inputs, and returns a dict of float32."""

import pytest
import tensorflow as tf
from support import registry


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_endpoint_traces(name):
    for endpoint in registry.updated(name).algorithm.endpoints().values():
        assert all(spec.name for spec in endpoint.signature)
        traced = tf.function(endpoint.fn, autograph=False).get_concrete_function(
            *endpoint.signature
        )
        assert isinstance(traced.structured_outputs, dict)
        assert all(output.dtype == tf.float32 for output in traced.structured_outputs.values())
