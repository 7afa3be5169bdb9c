"""SavedModels: versioned directories with every endpoint of a model, which TensorFlow can load."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from export.saved_model import description, examples, published, warmup
from tfgen import files
from tfgen.errors import UserError
from tfgen.models import Model

Graphs = Mapping[str, ConcreteFunction]


def next_version(directory: pathlib.Path) -> int:
    """Returns one more than the newest version in a model's directory."""
    if not directory.is_dir():
        return 1
    versions = [int(place.name) for place in directory.iterdir() if place.name.isdigit()]
    return 1 + max(versions, default=0)


def write(
    model: Model, directory: pathlib.Path, about: Mapping[str, Any] | None = None
) -> pathlib.Path:
    """Writes the next version of a model, with its description.

    Requests that warm a server up are written too, where they can be built.

    Args:
        model: trained.
        directory: the model's, with a directory for each version; its name is the model's.
        about: what is known of its training, for the description; by default, the algorithm is the
            directory's name.

    Returns:
        The version's directory, which appears whole or not at all.

    Raises:
        UserError: if the model cannot be described, or another export was faster.
    """
    endpoints = published.endpoints(model)
    facts = description.facts_of(model, about or {"algorithm": directory.name})
    text = json.dumps(facts | {"endpoints": description.entries(model, endpoints)}, indent=1)
    endpoints[description.NAME] = description.endpoint(text)
    graphs = {name: found.graph.get_concrete_function() for name, found in endpoints.items()}
    place = directory / str(next_version(directory))
    with files.written_aside(place) as aside:
        # nobody differentiates an export; its endpoints hold the gradients that sampling takes
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(_module(graphs), str(aside), _signatures(graphs), options)
        extra = aside / description.PLACE
        extra.parent.mkdir()
        extra.write_text(text + "\n")
        if warmup.available():
            shown = {name: examples.rows(found) for name, found in endpoints.items()}
            warmup.write(aside, directory.name, shown)
        if place.exists():
            raise UserError(f"{place}: another export wrote this version meanwhile; export again")
    return place


def _signatures(graphs: Graphs) -> dict[str, ConcreteFunction]:
    """Returns the signatures; the first also answers requests that name none."""
    first = next(iter(graphs.values()))
    return {**graphs, tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: first}


def _module(graphs: Graphs) -> tf.Module:
    """Returns the module to save: endpoints as attributes, and the variables that they use."""
    # not Keras's ExportArchive, whose functions are traced once more when they are saved
    module = tf.Module()
    for name, graph in graphs.items():
        setattr(module, name, graph)
    # optimizers, and what training remembers of images, are not among them
    used = {id(variable): variable for graph in graphs.values() for variable in graph.variables}
    module.used = list(used.values())
    return module
