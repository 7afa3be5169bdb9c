"""Every algorithm has a page that explains all numbers it logs.

Its class docstring names every parameter.
"""

import inspect
import re

import pytest
from support import registry


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_is_documented(name):
    page = registry.ROOT / "docs" / "algorithms" / f"{name}.md"
    assert page.exists(), f"expected {page}"
    metrics, text = registry.updated(name).algorithm.metrics, page.read_text()
    assert not [metric.name for metric in metrics if f"`{metric.name}`" not in text]


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_parameter_of_an_algorithm_is_explained(name):
    cls = registry.algorithm_class(name)
    explained = set(re.findall(r"^    +(\w+): ", inspect.getdoc(cls), flags=re.M))
    assert set(inspect.signature(cls).parameters) <= explained
