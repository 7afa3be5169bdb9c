"""The description of an exported model: facts about it, and its endpoints with their inputs.

The endpoint `describe` of every export returns it as JSON, and a file beside the model holds the
same. Clients, bulk work and the model card read it.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from export.saved_model import checks, limits, rows
from export.saved_model.limits import Limits
from export.saved_model.rows import RowEndpoint
from tfgen.models import Endpoint, Model
from tfgen.models.inputs import Input
from tfgen.version import __version__

NAME = "describe"
"""The endpoint that returns the description."""

OUTPUT = "description"
"""Its output."""

FORMAT = 1
"""Number of the layout of a description."""

PLACE = pathlib.Path("assets.extra", "endpoints.json")
"""The file, in a version's directory."""


class Entry(NamedTuple):
    """The description of an input or an output.

    An output has a shape, a type and an encoding only.

    Attributes:
        shape: of one row; None for a free side.
        dtype: name of the type.
        meaning: a phrase.
        default: value where none is given; None: it must be given.
        per_row: whether the rows of a request may have different values.
        check: the conditions on its numbers and free sides, in words.
        low: the least number that it takes; None where there is none.
        high: the largest number that it takes; None where there is none.
        encoding: see `tfgen.models.inputs.Input`.
    """

    shape: tuple[int | None, ...]
    dtype: str
    meaning: str = ""
    default: Any = None
    per_row: bool = True
    check: str | None = None
    low: float | None = None
    high: float | None = None
    encoding: str | None = None


class EndpointDescription(NamedTuple):
    """The description of an endpoint."""

    name: str
    meaning: str
    inputs: dict[str, Entry]
    outputs: dict[str, Entry]

    @property
    def in_bytes(self) -> bool:
        """Tells whether some input or output is the bytes of a file."""
        entries = (*self.inputs.values(), *self.outputs.values())
        return any(entry.dtype == tf.string.name for entry in entries)


class Description(NamedTuple):
    """The description of an exported model.

    Attributes:
        facts: about the model; see `facts_of`.
        endpoints: by name.
    """

    facts: dict[str, Any]
    endpoints: dict[str, EndpointDescription]


def facts_of(
    model: Model, about: Mapping[str, Any], bounds: Limits | None = None
) -> dict[str, Any]:
    """Returns the facts about a model, as JSON can hold them.

    Args:
        model: trained.
        about: further facts by name, such as `algorithm` and `nets`.
        bounds: the largest request that its export answers; None: that of `limits.of`.

    Returns:
        `about`, and the class, updates, shapes, `sampling` (kernel with its bounds and temperature,
        steps), all other `settings` of the model, and the `limits` of requests.
    """
    settings = model.get_config()
    del settings["nets"]  # their layers; the graphs of the export hold all that matters of them
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
        "limits": dataclasses.asdict(limits.of(model) if bounds is None else bounds),
        "parameters": {role: net.count_params() for role, net in model.nets.items()},
    }


def entries(model: Model, published: Mapping[str, RowEndpoint], bounds: Limits) -> dict[str, Any]:
    """Returns the descriptions of endpoints, as JSON can hold them.

    The endpoints are traced, since only graphs know the shapes of outputs.

    Args:
        model: that the endpoints belong to.
        published: the endpoints by name.
        bounds: the largest request that they answer.
    """
    known = model.inputs()
    return {name: _endpoint(endpoint, known, bounds) for name, endpoint in published.items()}


def endpoint(text: str) -> RowEndpoint:
    """Makes the endpoint `describe`.

    Args:
        text: the description.
    """
    meaning = "Returns what the model is and what it can be asked, as JSON."
    fixed = Endpoint(NAME, lambda: {OUTPUT: tf.constant([text])}, (), (OUTPUT,), meaning)
    return checks.checked(rows.by_row(fixed))


def parsed(text: str) -> Description:
    """Reads a description from its JSON."""
    facts = json.loads(text)
    found = facts.pop("endpoints")
    return Description(facts, {name: _described(name, said) for name, said in found.items()})


def _endpoint(endpoint: RowEndpoint, known: Mapping[str, Input], bounds: Limits) -> dict[str, Any]:
    outputs = endpoint.graph.get_concrete_function().structured_outputs
    return {
        "meaning": endpoint.meaning,
        "inputs": {given.name: _input(given, bounds) for given in endpoint.inputs},
        "outputs": {name: _output(value, known.get(name)) for name, value in outputs.items()},
    }


def _input(known: Input, bounds: Limits) -> dict[str, Any]:
    unsaid = (checks.FINITE, checks.ALIKE)  # of all floats; of all that are one value for all rows
    rules = [rule for rule in checks.rules(known, bounds) if rule not in unsaid]
    said = [rule.words for rule in (*rules, *limits.on_sides(known, bounds))]
    lows = [rule.low for rule in rules if rule.low is not None]
    highs = [rule.high for rule in rules if rule.high is not None]
    entry = Entry(
        shape=known.shape,
        dtype=known.dtype.name,
        meaning=known.meaning,
        default=known.default,
        per_row=known.per_row,
        check=", ".join(said) or None,
        low=max(lows, default=None),
        high=min(highs, default=None),
        encoding=known.encoding,
    )
    return entry._asdict()


def _output(value: tf.Tensor, like: Input | None) -> dict[str, Any]:
    """Describes an output. It is a picture if the input of the same name is one."""
    encoding = None if like is None else like.encoding
    shape = value.shape.as_list()[1:]
    return {"shape": shape, "dtype": value.dtype.name, "encoding": encoding}


def _described(name: str, said: Mapping[str, Any]) -> EndpointDescription:
    inputs = {key: _entry(entry) for key, entry in said["inputs"].items()}
    outputs = {key: _entry(entry) for key, entry in said["outputs"].items()}
    return EndpointDescription(name, said["meaning"], inputs, outputs)


def _entry(said: Mapping[str, Any]) -> Entry:
    return Entry(**{**said, "shape": tuple(said["shape"])})
