"""SavedModels: versioned directories with every endpoint of a model, which TensorFlow can load."""

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from export.saved_model import description, examples, limits, published, warmup
from export.saved_model.limits import Limits
from export.saved_model.rows import RowEndpoint
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
    model: Model,
    directory: pathlib.Path,
    about: Mapping[str, Any] | None = None,
    *,
    bounds: Limits | None = None,
    finish: Callable[[pathlib.Path], None] | None = None,
) -> pathlib.Path:
    """Writes the next version of a model, with its description.

    Requests that warm a server up are written too, where they can be built.

    Args:
        model: trained.
        directory: the model's, with a directory for each version; its name is the model's.
        about: what is known of its training, for the description; by default, the algorithm is the
            directory's name.
        bounds: the largest request that the version answers; None: that of `limits.of`.
        finish: adds files to the version's directory before it takes its place.

    Returns:
        The version's directory, which appears whole or not at all.

    Raises:
        UserError: if the model cannot be described, its answers are not finite, or another export
            was faster.
    """
    most = limits.of(model) if bounds is None else bounds
    endpoints = published.endpoints(model, most)
    facts = description.facts_of(model, about or {"algorithm": directory.name}, most)
    said = facts | {"endpoints": description.entries(model, endpoints, most)}
    text = json.dumps(said, indent=1, allow_nan=False)
    _check_weights(endpoints)
    _check_answers(endpoints)
    endpoints[description.NAME] = description.endpoint(text)
    graphs = {name: found.graph.get_concrete_function() for name, found in endpoints.items()}
    place = directory / str(next_version(directory))
    with files.written_aside(place) as aside:
        # nobody differentiates an export; its endpoints hold the gradients that sampling takes
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(_module(graphs), str(aside), _signatures(graphs), options)
        extra = aside / description.PLACE
        extra.parent.mkdir(exist_ok=True)
        extra.write_text(text + "\n", encoding="utf-8")
        if warmup.available():
            shown = {name: examples.rows(found) for name, found in endpoints.items()}
            warmup.write(aside, directory.name, shown)
        if finish is not None:
            finish(aside)
        if place.exists():
            raise UserError(f"{place}: another export wrote this version meanwhile; export again")
    return place


def _check_weights(endpoints: Mapping[str, RowEndpoint]) -> None:
    """Raises UserError if a number that endpoints use is not finite."""
    graphs = [endpoint.graph.get_concrete_function() for endpoint in endpoints.values()]
    for variable in {id(v): v for graph in graphs for v in graph.variables}.values():
        if variable.dtype.is_floating and not np.isfinite(variable.numpy()).all():
            raise UserError(
                f"{variable.name}: expected finite numbers and found NaN or infinity; export an "
                "older checkpoint by --step, or train anew"
            )


def _check_answers(endpoints: Mapping[str, RowEndpoint]) -> None:
    """Raises UserError if the answer to an endpoint's own example is not finite."""
    for name, endpoint in endpoints.items():
        if any(known.dtype == tf.string for known in endpoint.inputs):
            continue  # the form for files asks the same graph
        given = {key: tf.constant(value) for key, value in examples.rows(endpoint).items()}
        try:
            endpoint.graph(**given)
        except tf.errors.InvalidArgumentError as error:
            raise UserError(
                f"{name}: expected an answer of finite numbers to the example of a request, and "
                "found NaN or infinity; export an older checkpoint by --step, or train anew"
            ) from error


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
