"""The library's source has docstrings, short functions and short files.

It has no assert and no print.
"""

import ast
import re

import pytest
from support import registry

every_file = pytest.mark.parametrize(
    "path", registry.SOURCES, ids=lambda p: str(p.relative_to(registry.ROOT))
)


def nodes(path, *kinds):
    """Returns the nodes of some kinds in a file."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


@every_file
def test_there_is_no_assert_and_no_print(path):
    calls = [node.func.id for node in nodes(path, ast.Call) if isinstance(node.func, ast.Name)]
    assert not nodes(path, ast.Assert)
    assert "print" not in calls


@every_file
def test_randomness_is_drawn_in_one_file_alone(path):
    """This is asked of TensorFlow's and Keras's draws; NumPy's generators take seeds when made."""
    if path.name == "random.py":
        return
    text = path.read_text()
    for drawing in ("tf.random.", "keras.random.", "default_rng()"):
        assert drawing not in text
    assert not re.search(r"np\.random\.(?!default_rng\b|Generator\b)", text)


@every_file
def test_modules_and_public_functions_and_classes_have_docstrings(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    bases = {
        c.name: [ast.unparse(b) for b in c.bases] for c in tree.body if isinstance(c, ast.ClassDef)
    }
    for owner in [
        tree,
        *(c for c in tree.body if isinstance(c, ast.ClassDef) and not c.name.startswith("_")),
    ]:
        overriding = bool(bases.get(getattr(owner, "name", ""), []))
        for node in owner.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            if isinstance(node, ast.FunctionDef) and overriding:
                continue  # most are overrides, explained where they are first declared
            assert ast.get_docstring(node), node.name


@every_file
def test_functions_have_at_most_fifty_lines_of_code(path):
    """Docstrings and signatures are not counted."""
    for node in nodes(path, ast.FunctionDef):
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert lines <= 50, f"{node.name} has {lines}"


@every_file
def test_files_have_at_most_three_hundred_lines(path):
    assert len(path.read_text().splitlines()) <= 300
