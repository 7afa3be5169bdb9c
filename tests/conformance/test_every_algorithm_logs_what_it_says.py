"""Every algorithm returns exactly the numbers it declares: finite float32 scalars."""

import numpy as np
import pytest
import registry
import tensorflow as tf

from tfgen import random


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_logs_what_it_says(name):
    algorithm = registry.build(name)
    logs = algorithm.update(registry.batch(), random.root(0))
    assert set(logs) == {metric.name for metric in algorithm.metrics}
    for value in logs.values():
        assert (value.shape, value.dtype) == ((), tf.float32)
        assert np.isfinite(value)
