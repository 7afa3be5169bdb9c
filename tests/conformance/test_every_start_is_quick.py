"""Training starts without libraries that take seconds to import and that few runs use."""

import ast
import pathlib

from support import registry

SLOW = ("tensorflow_probability", "tensorflow_datasets", "apache_beam", "matplotlib.pyplot")
STARTS = [
    "trainers.main",
    *(
        f"tfgen.{room.replace('/', '.')}.{f.stem}"
        for room in ("algorithms", "nets/families")
        for f in sorted((registry.ROOT / "tfgen" / room).glob("*.py"))
    ),
]
"""The command, and what it finds by name."""


def path_of(module: str) -> pathlib.Path | None:
    """Returns the file of one of the library's modules; None for others."""
    place = registry.ROOT / pathlib.Path(*module.split("."))
    return next(
        (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None
    )


def imported(path: pathlib.Path) -> set[str]:
    """Returns what a file imports when it is imported; names that may be modules are included."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reached(starts: list[str]) -> dict[str, set[str]]:
    """Returns what each of the library's modules imports that the starts lead to."""
    found, left = {}, list(starts)
    while left:
        module = left.pop()
        if module not in found and (path := path_of(module)):
            found[module] = imported(path)
            left += found[module]
    return found


def test_the_way_is_followed():
    """It leads from the command to the samplers, and through their package to a sampler's file."""
    assert {"trainers.run.experiment", "tfgen.samplers.hmc", "tfgen.data.sources"} <= reached(
        STARTS
    ).keys()


def test_nothing_slow_is_imported_on_the_way():
    for module, names in reached(STARTS).items():
        slow = [name for name in names if name.startswith(SLOW)]
        assert not slow, f"{module} imports {slow}"
