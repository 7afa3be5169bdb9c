"""Every endpoint of every model answers its own example with as many rows, and is described.

That endpoints trace is asked in test_every_endpoint_traces.py.
"""

import pytest
import tensorflow as tf
from support import registry

from export.saved_model import description, examples, published

pytestmark = pytest.mark.eager

ROWS = 2


@pytest.mark.parametrize("name", registry.per_model())
def test_every_endpoint_is_served_by_row(name):
    model = registry.updated(name).algorithm.model
    for signature, endpoint in published.endpoints(model).items():
        given = {key: tf.constant(value) for key, value in examples.rows(endpoint, ROWS).items()}
        assert all(
            known.row_spec.is_compatible_with(given[known.name]) for known in endpoint.inputs
        )
        found = endpoint.fn(**given)
        assert set(found) == set(endpoint.outputs), signature
        assert all(len(value) == ROWS for value in found.values()), signature


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_model_is_described(name):
    """The facts are plain data, with the steps and the kernel of the model."""
    model = registry.updated(name).algorithm.model
    facts = description.facts_of(model, {"algorithm": name})
    assert facts["class"] == type(model).__name__
    if model.sampling is not None:
        assert facts["sampling"]["steps"] == model.sampling.steps
        assert facts["sampling"]["kernel"]["class"] == type(model.sampling.kernel).__name__
