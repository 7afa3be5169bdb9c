"""The description of an export: what the model is, and what it can be asked.

Every export answers it by the endpoint `describe`, and holds it as a file of JSON. Clients, bulk
work and the model card read it.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from export.saved_model import rows
from export.saved_model.rows import RowEndpoint
from tfgen.models import Endpoint, Model
from tfgen.models.inputs import Input
from tfgen.version import __version__

NAME = "describe"
"""The endpoint that gives the description."""

OUTPUT = "description"

FORMAT = 1
"""Number of the layout of a description."""

PLACE = pathlib.Path("assets.extra", "endpoints.json")
"""The file, in a version's directory."""


class Entry(NamedTuple):
    """What is said of an input or an output; of an output, its shape, type and encoding alone.

    Attributes:
        shape: of one row; None for a free side.
        dtype: its name.
        meaning: a phrase.
        default: where no value is given; None: it must be given.
        per_row: whether the rows of a request may differ in it.
        check: what its numbers must be, in words.
        encoding: `image`, `mask`, or None where it is no picture.
    """

    shape: tuple[int | None, ...]
    dtype: str
    meaning: str = ""
    default: Any = None
    per_row: bool = True
    check: str | None = None
    encoding: str | None = None


class Described(NamedTuple):
    """What is said of an endpoint."""

    name: str
    meaning: str
    inputs: dict[str, Entry]
    outputs: dict[str, Entry]

    @property
    def in_bytes(self) -> bool:
        """Whether it takes or gives files."""
        entries = (*self.inputs.values(), *self.outputs.values())
        return any(entry.dtype == tf.string.name for entry in entries)


class Description(NamedTuple):
    """What is said of an export.

    Attributes:
        facts: of the model, as JSON has them; see `facts_of`.
        endpoints: by name.
    """

    facts: dict[str, Any]
    endpoints: dict[str, Described]


def facts_of(model: Model, about: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a model is, as JSON can hold it.

    Args:
        model: trained.
        about: what is known of its training by name, such as `algorithm` and `nets`.

    Returns:
        `about`, and the class, updates, shapes, `sampling` (kernel with its bounds and temperature,
        steps) and all other `settings` of the model.
    """
    settings = model.get_config()
    del settings["nets"]
    return {
        "format": FORMAT,
        "tfgen": __version__,
        **about,
        "class": type(model).__name__,
        "updates": int(model.updates),
        "image_shape": list(settings.pop("image_shape")),
        "num_classes": model.num_classes,
        "sampling": settings.pop("sampling"),
        "settings": settings,
        "parameters": {role: net.count_params() for role, net in model.nets.items()},
    }


def entries(model: Model, published: Mapping[str, RowEndpoint]) -> dict[str, Any]:
    """Returns what is said of endpoints, as JSON can hold it; traces them.

    Args:
        model: whose.
        published: by name.
    """
    known = model.inputs()
    return {name: _endpoint(endpoint, known) for name, endpoint in published.items()}


def endpoint(text: str) -> RowEndpoint:
    """Returns the endpoint `describe`.

    Args:
        text: the description.
    """
    meaning = "Returns what the model is and what it can be asked, as JSON."
    fixed = Endpoint(NAME, lambda: {OUTPUT: tf.constant([text])}, (), (OUTPUT,), meaning)
    return rows.by_row(fixed)


def parsed(text: str) -> Description:
    """Returns a description of its JSON."""
    facts = json.loads(text)
    found = facts.pop("endpoints")
    return Description(facts, {name: _described(name, said) for name, said in found.items()})


def _endpoint(endpoint: RowEndpoint, known: Mapping[str, Input]) -> dict[str, Any]:
    outputs = endpoint.graph.get_concrete_function().structured_outputs
    return {
        "meaning": endpoint.meaning,
        "inputs": {given.name: _input(given) for given in endpoint.inputs},
        "outputs": {name: _output(value, known.get(name)) for name, value in outputs.items()},
    }


def _input(known: Input) -> dict[str, Any]:
    check = None if known.check is None else known.check.words
    entry = Entry(
        shape=known.shape,
        dtype=known.dtype.name,
        meaning=known.meaning,
        default=known.default,
        per_row=known.per_row,
        check=check,
        encoding=known.encoding,
    )
    return entry._asdict()


def _output(value: tf.Tensor, like: Input | None) -> dict[str, Any]:
    """Returns what is said of an output, which is a picture if the input of its name is one."""
    encoding = None if like is None else like.encoding
    shape = value.shape.as_list()[1:]
    return {"shape": shape, "dtype": value.dtype.name, "encoding": encoding}


def _described(name: str, said: Mapping[str, Any]) -> Described:
    inputs = {key: _entry(entry) for key, entry in said["inputs"].items()}
    outputs = {key: _entry(entry) for key, entry in said["outputs"].items()}
    return Described(name, said["meaning"], inputs, outputs)


def _entry(said: Mapping[str, Any]) -> Entry:
    return Entry(**{**said, "shape": tuple(said["shape"])})
