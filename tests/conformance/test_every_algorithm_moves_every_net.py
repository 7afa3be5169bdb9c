"""Every update moves every weight that its roles train, and leaves all numbers finite."""

import numpy as np
import pytest
from support import registry


def idle(net):
    """Returns the weights of filters on top of layers below the last one in use."""
    tops = vars(net).get("tops", [])
    return [w for top in tops if top is not net.top for w in top.weights]


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_moves_every_net(name):
    """Weights of layers that are not in use stay."""
    algorithm, _, before, after = registry.updated(name)
    moved = {
        id(w): not np.array_equal(*ends)
        for w, *ends in zip(algorithm.weights, before, after, strict=True)
    }
    for role in registry.roles(name):
        unused = {id(w) for w in idle(algorithm.nets[role])}
        for weight in algorithm.parameters(role):
            assert moved[id(weight)] == (id(weight) not in unused), f"{role}: {weight.path}"


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_number_that_an_algorithm_keeps_is_finite(name):
    algorithm, _, _, after = registry.updated(name)
    for weight, value in zip(algorithm.weights, after, strict=True):
        assert np.isfinite(np.float32(value)).all(), weight.path
