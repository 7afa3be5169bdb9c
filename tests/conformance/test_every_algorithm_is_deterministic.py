"""Every algorithm's update depends on its weights, its batch and its seed alone."""

import numpy as np
import pytest
import registry

from tfgen import random


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_is_deterministic(name):
    ends = []
    for seed in (0, 0, 1):
        algorithm = registry.build(name)
        algorithm.update(registry.batch(), random.root(seed))
        ends.append(np.concatenate([np.array(w).ravel() for w in algorithm.weights]))
    np.testing.assert_array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])
