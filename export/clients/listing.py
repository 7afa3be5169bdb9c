"""Lists of tasks for people: of all models, and of one export."""

import textwrap
from typing import Any

from export.saved_model.description import Description, EndpointDescription, Entry
from tfgen.models import MODELS
from tfgen.models.base import tasks_of

WIDTH = 100


def of_models() -> str:
    """Returns the tasks of all classes of models, each with its inputs and its meaning."""
    inputs: dict[str, list[str]] = {}
    meanings: dict[str, str] = {}
    for cls in MODELS:
        for name, task in tasks_of(cls).items():
            # classes may take other inputs for the same task: all of them are listed
            known = inputs.setdefault(name, [])
            known += [parameter for parameter in task.parameters if parameter not in known]
            meanings.setdefault(name, (task.__doc__ or "").partition("\n")[0])
    return "\n".join(
        f"  {name}({', '.join(inputs[name])})\n{_indented(meanings[name])}"
        for name in sorted(inputs)
    )


def of_export(description: Description) -> str:
    """Returns a summary of an export, and its endpoints with their inputs and outputs.

    Args:
        description: the export's.
    """
    facts = description.facts
    shape = "x".join(map(str, facts["image_shape"]))
    head = f"{facts['class']} by {facts.get('algorithm')} after {facts['updates']} updates, {shape}"
    return "\n\n".join([head, *map(_endpoint, description.endpoints.values())])


def notes(entry: Entry) -> str:
    """Returns an input's default, and the conditions on its values, in words."""
    found = ["required" if entry.default is None else f"default {_plain(entry.default)}"]
    if entry.check:
        found.append(f"expected {entry.check}")
    if not entry.per_row:
        found.append("the same in every row")
    return "; ".join(found)


def _endpoint(endpoint: EndpointDescription) -> str:
    lines = [f"{endpoint.name}: {endpoint.meaning}"]
    for name, entry in endpoint.inputs.items():
        said = f"{name} ({_type(entry)}): {entry.meaning}; {notes(entry)}"
        lines.append(_indented(said, 2, 2))
    given = ", ".join(f"{name} ({_type(entry)})" for name, entry in endpoint.outputs.items())
    return "\n".join([*lines, _indented(f"gives {given}", 2, 2)])


def _type(entry: Entry) -> str:
    sides = ["any" if side is None else str(side) for side in entry.shape]
    return f"{entry.dtype} [{', '.join(sides)}]" if sides else entry.dtype


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _indented(text: str, spaces: int = 6, more: int = 0) -> str:
    """Returns a paragraph that is indented, its lines after the first by some spaces more."""
    first, others = " " * spaces, " " * (spaces + more)
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=others)
