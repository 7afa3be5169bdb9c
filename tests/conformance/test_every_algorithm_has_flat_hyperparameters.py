"""Every algorithm's positional parameters are nets; its keyword-only ones have defaults that a flag can hold."""

import keras
import pytest
from support import registry


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_has_flat_hyperparameters(name):
    parameters = registry.parameters(name)
    roles = registry.roles(name)
    assert roles
    assert list(parameters)[: len(roles)] == roles
    assert all(parameters[role].default is parameters[role].empty for role in roles)
    for p in parameters.values():
        if p.name not in roles and p.name not in registry.GIVEN:
            assert p.kind is p.KEYWORD_ONLY
            assert type(p.default) in (bool, int, float, str)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_role_is_an_attribute_and_some_family_has_all_of_an_algorithms_roles(name):
    algorithm = registry.build(name)
    for role in registry.roles(name):
        assert isinstance(getattr(algorithm, role), keras.Model)
        assert algorithm.parameters(role)
