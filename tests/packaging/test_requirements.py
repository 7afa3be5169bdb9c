"""What setup.cfg declares: what is imported, nothing else, and the lowest versions."""

import ast
import configparser
import re
import runpy
import sys

import pytest
from support import registry

OWN = ("tfgen", "trainers", "export")
MODULES = {
    "absl-py": "absl",
    "docstring_parser": "docstring_parser",
    "jinja2": "jinja2",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "tensorflow-datasets": "tensorflow_datasets",
    "tensorflow-probability": "tensorflow_probability",
    "tensorflow-serving-api": "tensorflow_serving",
    "apache-beam": "apache_beam",
    "tf-keras": "tf_keras",
}
"""The modules of distributions that are named otherwise."""
INDIRECT = {"importlib_resources", "tensorboard", "tf_keras", "PIL", "scipy"}
"""Needed by others of the requirements, or by what the project writes, and not imported by name."""

BROUGHT = {"google", "grpc"}
"""TensorFlow and its serving API depend on these, which answer in their terms."""


def config() -> configparser.ConfigParser:
    """Reads setup.cfg."""
    found = configparser.ConfigParser()
    found.read(registry.ROOT / "setup.cfg")
    return found


def required(text: str) -> set[str]:
    """Returns the modules of a list of requirements."""
    names = [re.split(r"[ \[<>=]", line)[0] for line in text.split("\n") if line]
    return {MODULES.get(name.lower(), name.lower()) for name in names if name}


def imported() -> set[str]:
    """Returns the top-level modules that the installed packages import, anywhere in their files."""
    found = set()
    for package in OWN:
        for path in (registry.ROOT / package).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add(node.module.partition(".")[0])
    return found - {*OWN} - sys.stdlib_module_names


def test_everything_that_is_imported_is_declared():
    options = config()["options.extras_require"]
    declared = required(config()["options"]["install_requires"])
    for extra in ("mcmc", "serving", "beam", "video", "test"):
        declared |= required(options[extra])
    assert imported() <= declared | BROUGHT


def test_nothing_is_declared_that_is_not_needed():
    declared = required(config()["options"]["install_requires"])
    assert declared <= imported() | INDIRECT


@pytest.mark.parametrize("module", ["tensorflow_probability", "tf_keras", "apache_beam"])
def test_nobody_needs_what_few_use(module):
    assert module not in required(config()["options"]["install_requires"])


def test_the_lowest_versions_are_those_of_the_declaration():
    script = runpy.run_path(str(registry.ROOT / ".ci" / "lowest.py"))
    written = (registry.ROOT / "constraints-lowest.txt").read_text()
    assert written == script["constraints"](), "run python .ci/lowest.py"
    pins = [line for line in written.splitlines() if not line.startswith("#")]
    assert len(pins) == len(required(config()["options"]["install_requires"]))
