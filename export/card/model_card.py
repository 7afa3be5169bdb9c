"""The model card, for people and for programs.

It says what was exported, from what, under which terms, how it is asked, and how well it does.
"""

import inspect
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import tensorflow as tf

from export.card import measurements, terms
from export.clients import listing
from export.litert import convert
from export.saved_model import description, examples, published, warmup
from export.saved_model.description import EndpointDescription, Entry
from tfgen import files
from tfgen.models import Endpoint
from tfgen.version import __version__
from trainers.run import catalogue
from trainers.run.experiment import Trained

TEMPLATE = pathlib.Path(__file__).parent / "templates" / "model_card.md"


def write(
    trained: Trained,
    exported: Sequence[pathlib.Path],
    directory: pathlib.Path,
    *,
    measure: bool = True,
) -> list[pathlib.Path]:
    """Writes model_card.json and model_card.md, which say the same.

    Args:
        trained: the run.
        exported: files and directories that were written.
        directory: where to.
        measure: whether to load what was exported, time it, and compare LiteRT's answers with the
            library's.

    Returns:
        The two files.
    """
    found = card(trained, exported, directory, measure)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["words"] = words
    text = environment.from_string(TEMPLATE.read_text()).render(found)
    contents = {"model_card.json": json.dumps(found, indent=1) + "\n", "model_card.md": text}
    for name, content in contents.items():
        with files.written_aside(directory / name) as aside:
            aside.write_text(content)
    return [directory / name for name in contents]


def about(trained: Trained) -> dict[str, Any]:
    """Returns what a run knows of its model beside the model itself.

    Args:
        trained: the run.
    """
    return {
        "algorithm": trained.values.algorithm,
        "nets": trained.values.nets,
        "class_names": trained.data.get("class_names"),
    }


def card(
    trained: Trained, exported: Sequence[pathlib.Path], directory: pathlib.Path, measure: bool
) -> dict[str, Any]:
    """Returns all that the card says; see `write`."""
    version = next((path for path in exported if path.is_dir()), None)
    lite = any(path.suffix == ".tflite" for path in exported)
    listed = [{"path": str(p.relative_to(directory)), "bytes": _size(p)} for p in exported]
    algorithm = inspect.getmodule(catalogue.algorithm_class(trained.values.algorithm))
    return {
        **description.facts_of(trained.model, about(trained)),
        "description": (inspect.getdoc(algorithm) or "").partition("\n")[0],
        "version": __version__,
        "code_terms": terms.CODE,
        "data": {
            "name": trained.values.dataset,
            "terms": terms.of(trained.values.dataset),
            "train_size": trained.data["train_size"],
        },
        "limits": _limits(trained),
        "machine": measurements.machine(),
        "measured": measure,
        "files": listed,
        "saved_model": _saved_model(trained, version, directory, measure) if version else None,
        "tflite": _tflite(trained, directory / "tflite", measure) if lite else None,
        "measurements": trained.metrics.rows("evaluation"),
    }


def words(value: Any) -> str:
    """Returns a number, a list or a mapping of such as plain words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {words(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value))
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _limits(trained: Trained) -> list[str]:
    shape = "x".join(map(str, trained.model.image_shape))
    return [
        f"It takes images of {shape} unless an input's shape says otherwise; others must be "
        "cropped and resized first.",
        f"It has seen {trained.data['train_size']} images of {trained.values.dataset} and knows "
        "nothing else; what is one-sided in them is one-sided in its answers.",
        "What it generates or completes is plausible to the model, not what was there: no evidence "
        "of anything.",
        "Energies are known up to a constant: they compare images under this model, and no models.",
        "The time of an answer grows with num_steps and the number of images, and nothing bounds "
        "them: a server for strangers must.",
    ]


def _saved_model(
    trained: Trained, version: pathlib.Path, directory: pathlib.Path, measure: bool
) -> dict[str, Any]:
    endpoints = published.endpoints(trained.model)
    times = measurements.served(version, endpoints) if measure else {}
    said = description.parsed((version / description.PLACE).read_text()).endpoints
    found = {
        name: _endpoint(said[name], endpoint) | {"milliseconds": times.get(name)}
        for name, endpoint in endpoints.items()
    }
    return {
        "path": str(version.relative_to(directory)),
        "warm_up": (version / warmup.PLACE).exists(),
        "inputs": _inputs(said),
        "endpoints": found,
    }


def _endpoint(said: EndpointDescription, endpoint: Endpoint) -> dict[str, Any]:
    """Returns what the card says of a SavedModel's endpoint."""
    given = examples.rows(endpoint)
    line = ", ".join(f"{k.name}={examples.code(k, given[k.name])}" for k in endpoint.inputs)
    return {
        "meaning": said.meaning,
        "inputs": _types(said.inputs),
        "outputs": _types(said.outputs),
        "example": f'model.signatures["{said.name}"]({line})',
    }


def _types(entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    """Returns types and shapes of requests and answers, whose number of rows is free."""
    return {
        name: {"dtype": entry.dtype, "shape": [None, *entry.shape]}
        for name, entry in entries.items()
    }


def _inputs(said: Mapping[str, EndpointDescription]) -> dict[str, dict[str, Any]]:
    """Returns the descriptions of all inputs by name, which are the same in every endpoint."""
    entries = {name: entry for found in said.values() for name, entry in found.inputs.items()}
    return {
        name: {"meaning": entry.meaning, "notes": listing.notes(entry), **_allowed(entry)}
        for name, entry in sorted(entries.items())
    }


def _allowed(entry: Entry) -> dict[str, Any]:
    return {"default": entry.default, "expected": entry.check, "per_row": entry.per_row}


def _tflite(trained: Trained, directory: pathlib.Path, measure: bool) -> dict[str, Any]:
    endpoints = convert.endpoints(trained.model)
    found = {name: _file(endpoint, directory, measure) for name, endpoint in endpoints.items()}
    return {"note": convert.NOTE, "endpoints": found}


def _file(endpoint: Endpoint, directory: pathlib.Path, measure: bool) -> dict[str, Any]:
    """Returns what the card says of an endpoint's LiteRT files."""
    name = endpoint.name
    specs = {known.name: known.single_spec for known in endpoint.inputs}
    answer = tf.function(endpoint.fn, autograph=False).get_concrete_function(**specs)
    given = examples.single(endpoint)
    line = ", ".join(f"{k.name}={examples.code(k, given[k.name], 'np')}" for k in endpoint.inputs)
    variants = {}
    if measure:
        expected = answer(**{key: tf.constant(value) for key, value in given.items()})
        variants = measurements.variants(directory, name, given, expected)
    return {
        "meaning": endpoint.meaning,
        "inputs": _tensors(specs),
        "outputs": _tensors(answer.structured_outputs),
        "example": f'tf.lite.Interpreter("tflite/{name}.tflite").get_signature_runner()({line})',
        "variants": variants,
    }


def _tensors(tensors: Mapping[str, tf.TensorSpec | tf.Tensor]) -> dict[str, dict[str, Any]]:
    return {name: {"dtype": t.dtype.name, "shape": list(t.shape)} for name, t in tensors.items()}


def _size(path: pathlib.Path) -> int:
    """Returns the bytes of a file, or of all files of a directory."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
