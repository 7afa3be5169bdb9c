"""Every algorithm's step of training traces as one graph, and returns the numbers it declares."""

import pytest
import tensorflow as tf
from support import registry


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_traces(name):
    """What it computes is asked where it is run."""
    algorithm, batch = registry.updated(name).algorithm, registry.batch(name)
    step = tf.function(algorithm.train_step, autograph=False)
    traced = step.get_concrete_function(tf.nest.map_structure(tf.TensorSpec.from_tensor, batch))
    assert set(traced.structured_outputs) == {metric.name for metric in algorithm.metrics}
