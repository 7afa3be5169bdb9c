"""Every algorithm returns exactly the numbers it declares: finite float32 scalars."""

import numpy as np
import pytest
import tensorflow as tf
from support import registry

CASES = [(name, False) for name in registry.ALGORITHMS] + [
    (name, True) for name in registry.INCOMPLETE
]


@pytest.mark.parametrize(("name", "incomplete"), CASES)
def test_every_algorithm_logs_what_it_says(name, incomplete):
    algorithm, logs, *_ = registry.updated(name, incomplete)
    assert set(logs) == {metric.name for metric in algorithm.metrics}
    for value in logs.values():
        assert (value.shape, value.dtype) == ((), tf.float32)
        assert np.isfinite(value)
