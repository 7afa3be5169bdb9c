"""Every algorithm's positional parameters are roles; its keyword-only ones have defaults that a flag can hold."""

import inspect

import pytest
import registry

GIVEN = {"image_shape", "image_mean"}


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_has_flat_hyperparameters(name):
    parameters = inspect.signature(registry.algorithm_class(name)).parameters.values()
    roles = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert roles
    assert all(p.default is p.empty for p in roles)
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and p.name not in GIVEN:
            assert type(p.default) in (bool, int, float, str)
