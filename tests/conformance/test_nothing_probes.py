"""Nothing asks algorithms, models, nets or kernels what they are: they declare it."""

import ast
import functools
import pathlib
from collections.abc import Iterator

import pytest
from support import registry

ROOMS = ("tfgen", "trainers", "export", "experiments", "benchmarks")
FILES = sorted(path for room in ROOMS for path in (registry.ROOT / room).rglob("*.py"))
BASES = {"Algorithm", "Model", "Net", "Kernel", "Posterior"}
"""Whose subclasses must not be told from each other."""

ASKED = (
    *("algorithm", "model", "net", "kernel", "trained", "posterior"),
    *("generator", "inference", "classifier", "discriminator"),
)
"""Names, and ends of names, of what must not be asked."""

FOREIGN = ("keras.Model",)
"""What a user's argument may be checked to be."""

ADAPTING = {"adapters.py", "trial.py"}
"""Files of tfgen/nets/architectures where a user's own net is told from one of ours, once."""

DESCRIBING = {"choice.py"}
"""Files of tfgen/samplers that write kernels as plain data, by their class and constants."""

EXEMPT = {f"tfgen/nets/architectures/{name}" for name in ADAPTING} | {
    f"tfgen/samplers/{name}" for name in DESCRIBING
}


@functools.cache
def tree(path: pathlib.Path) -> ast.Module:
    """Returns a file's syntax, parsed once, when the first test asks for it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def subclasses() -> set[str]:
    """Returns the names of all classes below the bases, and of the bases."""
    nodes = (node for path in FILES for node in ast.walk(tree(path)))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    parents = {c.name: {ast.unparse(base).split(".")[-1] for base in c.bases} for c in classes}
    found: set[str] = set()
    new = set(BASES)
    while new:
        found |= new
        new = {name for name, above in parents.items() if above & found} - found
    return found


def is_asked(node: ast.AST) -> bool:
    """Returns whether an expression is named like what must not be asked."""
    while isinstance(node, ast.Subscript):  # self.nets["energy"] is one of the nets
        node = node.value
    name = ast.unparse(node).split(".")[-1].removesuffix("s")
    return name.endswith(ASKED)


def names_ours(node: ast.AST) -> bool:
    """Returns whether an expression names one of our classes, alone or among others."""
    words = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    words += [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    return ast.unparse(node) not in FOREIGN and not subclasses().isdisjoint(words)


def asks(node: ast.AST) -> bool:
    """Returns whether an expression or statement asks an object for what it may or may not have."""
    match node:
        case ast.Call(func=ast.Name("hasattr" | "callable" | "dir")):
            return True
        case ast.Call(func=ast.Name("getattr"), args=[asked, *rest]):
            return len(rest) == 2 or is_asked(asked)
        case ast.Call(func=ast.Name("isinstance"), args=[asked, kind]):
            ours = is_asked(asked) and ast.unparse(kind) not in FOREIGN
            return ours or names_ours(kind)
        case ast.Compare():
            return any(map(is_class_or_members, [node.left, *node.comparators]))
        case ast.Match():
            classes = [p.cls for p in ast.walk(node) if isinstance(p, ast.MatchClass)]
            return any(map(names_ours, classes))
        case ast.Try() | ast.With():
            expects = "AttributeError" in handled(node)
            return expects and any(map(reads_asked, node.body))
    return False


def is_class_or_members(node: ast.AST) -> bool:
    """Returns whether an expression is the class, or all members, of what must not be asked."""
    match node:
        case ast.Call(func=ast.Name("type" | "vars"), args=[asked]):
            return is_asked(asked)
        case ast.Attribute(asked, "__class__" | "__dict__"):
            return is_asked(asked)
    return False


def handled(node: ast.Try | ast.With) -> set[str]:
    """Returns the words of what a statement catches."""
    if isinstance(node, ast.Try):
        caught = [handler.type for handler in node.handlers if handler.type]
    else:
        caught = [item.context_expr for item in node.items]
    return {n.id for c in caught for n in ast.walk(c) if isinstance(n, ast.Name)}


def reads_asked(node: ast.AST) -> bool:
    """Returns whether an attribute is read of what must not be asked."""
    return any(isinstance(n, ast.Attribute) and is_asked(n.value) for n in ast.walk(node))


def probes(code: ast.AST) -> Iterator[str]:
    """Yields what asks an object for what it may or may not have."""
    for node in ast.walk(code):
        if asks(node):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(registry.ROOT)))
def test_nothing_probes(path):
    if str(path.relative_to(registry.ROOT)) not in EXEMPT:
        assert list(probes(tree(path))) == []


@pytest.mark.parametrize(
    "probe",
    [
        "hasattr(x, 'y')",
        "getattr(x, 'y', 0)",
        "getattr(model, name)",
        "callable(x.y)",
        "'y' in dir(x)",
        "isinstance(self.model, int)",
        "isinstance(self.nets['energy'], int)",
        "isinstance(x, models.CascadeModel)",
        "isinstance(x, int | Langevin)",
        "type(model) is Other",
        "trained.model.__class__ == Other",
        "'y' in vars(model)",
        "match x:\n    case LatentModel():\n        pass",
        "try:\n    model.y\nexcept AttributeError:\n    pass",
        "try:\n    y = model.y()\nexcept (AttributeError, ValueError):\n    pass",
        "with contextlib.suppress(AttributeError):\n    model.y",
    ],
)
def test_a_probe_is_found(probe):
    assert list(probes(ast.parse(probe)))


@pytest.mark.parametrize(
    "code",
    ["isinstance(x, int)", "isinstance(net, keras.Model)", "vars(module)", "type(model).__name__"],
)
def test_other_code_is_no_probe(code):
    assert not list(probes(ast.parse(code)))
