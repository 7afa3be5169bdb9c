"""Nothing asks algorithms, models, nets or kernels what they are: they declare it."""

import ast
import pathlib

import pytest
from support import registry

ROOMS = ("tfgen", "trainers", "export")
FILES = sorted(path for room in ROOMS for path in (registry.ROOT / room).rglob("*.py"))
ASKED = ("algorithm", "model", "net", "tasks", "kernel", "trained", "energy_net", "generator")
"""Names, and ends of names, of what must not be asked."""

FOREIGN = ("keras.Model",)
"""What a user's argument may be checked to be."""

ADAPTING = {"tfgen/nets/architectures/adapters.py"}
"""Where a user's own net is told from one of ours, once."""


def probes(path: pathlib.Path) -> list[str]:
    """Returns the calls that ask an object for what it may or may not have."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name, arguments = node.func.id, [ast.unparse(a) for a in node.args]
        asked = bool(arguments) and arguments[0].split(".")[-1].endswith(ASKED)
        asks_anything = name == "hasattr" or (name == "getattr" and len(arguments) == 3)
        asks_ours = name in ("isinstance", "getattr") and asked and arguments[-1] not in FOREIGN
        if asks_anything or asks_ours:
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(registry.ROOT)))
def test_nothing_probes(path):
    if str(path.relative_to(registry.ROOT)) not in ADAPTING:
        assert probes(path) == []


def test_probes_are_found(tmp_path):
    """The test before can fail."""
    (tmp_path / "a.py").write_text(
        "hasattr(x, 'y')\ngetattr(x, 'y', 0)\nisinstance(self.model, int)\nisinstance(x, int)\n"
    )
    assert len(probes(tmp_path / "a.py")) == 3
