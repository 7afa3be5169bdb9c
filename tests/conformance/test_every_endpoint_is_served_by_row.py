"""Every endpoint of every algorithm, as a server publishes it, answers its own example with as many rows."""

import pytest
import tensorflow as tf
from support import registry

from export.saved_model import examples, serving

ROWS = 2


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_endpoint_is_served_by_row(name):
    algorithm = registry.updated(name).algorithm
    for signature, endpoint in serving.endpoints(algorithm).items():
        given = examples.rows(endpoint, algorithm.image_shape, ROWS)
        assert all(
            spec.is_compatible_with(tf.constant(given[spec.name])) for spec in endpoint.signature
        ), signature
        found = endpoint.fn(*(tf.constant(given[spec.name]) for spec in endpoint.signature))
        assert all(len(value) == ROWS for value in found.values()), signature
