"""Every net file shows its table; its functions take the image shape and options for flags."""

import importlib
import inspect
import re

import pytest
from support import net_registry

from tfgen.nets.architectures.activations import ACTIVATIONS
from trainers.run import signatures


@pytest.mark.parametrize("family", net_registry.FAMILIES)
def test_every_net_shows_its_table(family):
    assert "| layer |" in importlib.import_module(f"tfgen.nets.families.{family}").__doc__


@pytest.mark.parametrize(("family", "role"), net_registry.NETS)
def test_every_nets_options_are_flat_and_explained(family, role):
    function = net_registry.net_function(family, role)
    shape, *options = inspect.signature(function).parameters.values()
    assert shape.name == "image_shape"
    for option in options:
        assert option.kind is option.KEYWORD_ONLY
        assert type(option.default) is signatures.kind_of(option.annotation)
    defaults = {option.name: option.default for option in options}
    assert defaults["width"] == 1.0
    assert defaults.get("activation", "relu") in ACTIVATIONS
    explained = set(re.findall(r"^    (\w+): ", inspect.getdoc(function), flags=re.M))
    assert {shape.name, *defaults} <= explained


@pytest.mark.slow
def test_every_architecture_has_a_net_that_the_fast_tests_ask():
    every, asked = (
        {type(net_registry.net(family, role)[0]) for family, role in cases}
        for cases in (net_registry.NETS, net_registry.REPRESENTATIVES)
    )
    assert every == asked


@pytest.mark.parametrize("family", net_registry.of("inference"))
def test_generators_and_inference_nets_of_a_family_have_latents_of_one_size(family):
    """Without a flag for the latents, nets of a family then fit together."""
    sizes = {
        inspect.signature(net_registry.net_function(family, role)).parameters["latent_dim"].default
        for role in ("generator", "inference")
    }
    assert len(sizes) == 1
