"""Every algorithm's positional parameters are nets, and the others have plain defaults.

A flag can hold each default.
"""

import keras
import pytest
from support import registry

from tfgen import errors


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
            assert p.default is None or type(p.default) in (bool, int, float, str)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_role_is_a_net_of_the_model_and_some_family_has_all_of_an_algorithms_roles(name):
    algorithm = registry.build(name)
    assert set(algorithm.nets) == set(algorithm.model.nets) == set(registry.roles(name))
    for role in registry.roles(name):
        assert isinstance(algorithm.nets[role], keras.Model)
        assert algorithm.parameters(role)


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_numbers_and_choices_declare_their_range(name):
    """A value out of the declared range is refused before a net is looked at."""
    cls = registry.algorithm_class(name)
    for parameter, constraint in errors.constraints(cls).items():
        refused = "no such choice" if isinstance(constraint, errors.OneOf) else -1e9
        with pytest.raises(errors.UserError, match=parameter):
            errors.check_parameters(cls.__init__, {parameter: refused})
