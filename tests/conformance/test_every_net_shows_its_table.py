"""Every net file shows its architecture as a table, and its functions take the shape, a width and an activation."""

import importlib
import inspect

import pytest
import registry


@pytest.mark.parametrize(("family", "role"), registry.NETS)
def test_every_net_shows_its_table(family, role):
    module = importlib.import_module(f"tfgen.nets.{family}")
    assert "| layer |" in module.__doc__
    parameters = inspect.signature(getattr(module, role)).parameters
    assert next(iter(parameters)) == "image_shape"
    assert parameters["width"].default == 1.0
    assert parameters["activation"].default in ("relu", "swish")
