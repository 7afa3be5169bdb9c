"""The model card, for people and for programs.

It says what was exported, from what, under which terms, how it is asked, and how well it does.
"""

import hashlib
import inspect
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from export.card import measurements, publishing, terms
from export.clients import listing
from export.litert import convert
from export.saved_model import description, examples, limits, published, warmup
from export.saved_model.description import EndpointDescription, Entry
from export.saved_model.limits import Limits
from tfgen import files
from tfgen.models import Endpoint, Model
from tfgen.version import __version__
from trainers.run import catalogue
from trainers.run.trained import Trained

TEMPLATE = pathlib.Path(__file__).parent / "templates" / "model_card.md"
CARDS = pathlib.Path("assets.extra")
"""The place of a version's own card, in its directory."""


class Served:
    """A SavedModel's part of the card, which is made before the version takes its place.

    Args:
        trained: the run.
        bounds: the largest request that the version answers.
        measure: whether to load the version and time it.
    """

    def __init__(self, trained: Trained, bounds: Limits | None = None, measure: bool = True):
        self.trained = trained
        self.bounds = limits.of(trained.model) if bounds is None else bounds
        self.measure = measure
        self.part: dict[str, Any] | None = None

    def write_card(self, version: pathlib.Path) -> None:
        """Writes the version's own card into its directory; what is timed is timed once.

        Args:
            version: the directory.
        """
        self.part = _saved_model(self, version)
        found = card(self.trained, [version], version, served=self, measure=self.measure)
        _write(found, version / CARDS)

    def of(self, version: pathlib.Path, directory: pathlib.Path) -> dict[str, Any]:
        """Returns the part, with the version's path from a directory."""
        part = _saved_model(self, version) if self.part is None else self.part
        return part | {"path": str(version.relative_to(directory))}


def write(
    trained: Trained,
    exported: Sequence[pathlib.Path],
    directory: pathlib.Path,
    *,
    served: Served | None = None,
    measure: bool = True,
) -> list[pathlib.Path]:
    """Writes model_card.json and model_card.md, which say the same.

    Args:
        trained: the run.
        exported: files and directories that were written.
        directory: where to.
        served: the part of a SavedModel, if it was made already.
        measure: whether to load what was exported, time it, and compare LiteRT's answers with the
            library's.

    Returns:
        The two files.
    """
    return _write(card(trained, exported, directory, served=served, measure=measure), directory)


def _write(found: Mapping[str, Any], directory: pathlib.Path) -> list[pathlib.Path]:
    environment = publishing.environment()
    environment.filters["words"] = words
    template = TEMPLATE.read_text(encoding="utf-8")
    contents = {
        "model_card.json": json.dumps(found, indent=1, allow_nan=False) + "\n",
        "model_card.md": environment.from_string(template).render(found),
    }
    for name, content in contents.items():
        with files.written_aside(directory / name) as aside:
            aside.write_text(content, encoding="utf-8")
    return [directory / name for name in contents]


def about(trained: Trained) -> dict[str, Any]:
    """Returns what a run knows of its model beside the model itself.

    Args:
        trained: the run.
    """
    return {
        "algorithm": trained.values.algorithm,
        "nets": publishing.plain(trained.values.nets),
        "class_names": trained.data.get("class_names"),
    }


def card(
    trained: Trained,
    exported: Sequence[pathlib.Path],
    directory: pathlib.Path,
    *,
    served: Served | None = None,
    measure: bool = True,
) -> dict[str, Any]:
    """Returns all that the card says, without local paths; see `write`."""
    version = next((path for path in exported if path.is_dir()), None)
    lite = any(path.suffix == ".tflite" for path in exported)
    part = served or Served(trained, measure=measure)
    algorithm = inspect.getmodule(catalogue.algorithm_class(trained.values.algorithm))
    found = {
        **description.facts_of(trained.model, about(trained), part.bounds),
        "description": (inspect.getdoc(algorithm) or "").partition("\n")[0],
        "version": __version__,
        "code_terms": terms.CODE,
        "data": {
            "name": publishing.data_name(trained.values.dataset),
            "terms": terms.of(trained.values.dataset),
            "train_size": trained.data["train_size"],
            "kind": _kind(trained.model),
        },
        "cautions": _cautions(trained, part.bounds),
        "machine": measurements.machine(),
        "measured": measure,
        "files": [_file_facts(path, directory) for path in exported],
        "saved_model": part.of(version, directory) if version else None,
        "tflite": _tflite(trained, directory / "tflite", measure) if lite else None,
        "measurements": trained.metrics.rows("evaluation"),
    }
    return publishing.plain(found)


def words(value: Any) -> str:
    """Returns a number, a list or a mapping of such as plain words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {words(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(words, value))
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _kind(model: Model) -> str:
    """Returns what a model is of, in the plural."""
    return "images" if len(model.image_shape) == 3 else "clips"


def _cautions(trained: Trained, bounds: Limits) -> list[str]:
    shape = "x".join(map(str, trained.model.image_shape))
    kind = _kind(trained.model)
    return [
        f"It takes {kind} of {shape} unless an input's shape says otherwise; others must be "
        "cropped and resized first.",
        f"It has seen {trained.data['train_size']} {kind} of "
        f"{publishing.data_name(trained.values.dataset)} and knows "
        "nothing else; what is one-sided in them is one-sided in its answers.",
        "What it generates or completes is plausible to the model, not what was there: no evidence "
        "of anything.",
        "Energies are known up to a constant: they compare images under this model, and no models.",
        "The time of an answer grows with num_steps and the number and sides of images. The graph "
        f"of the SavedModel takes at most {bounds.steps} steps, {bounds.count} {kind} or draws, "
        f"{bounds.side} pixels a side and {bounds.rows} rows.",
    ]


def _saved_model(served: Served, version: pathlib.Path) -> dict[str, Any]:
    endpoints = published.endpoints(served.trained.model, served.bounds)
    most = served.bounds.rows
    times = measurements.served(version, endpoints, most) if served.measure else {}
    text = (version / description.PLACE).read_text(encoding="utf-8")
    said = description.parsed(text).endpoints
    found = {
        name: _endpoint(said[name], endpoint) | {"milliseconds": times.get(name)}
        for name, endpoint in endpoints.items()
    }
    return {
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


def _file_facts(path: pathlib.Path, directory: pathlib.Path) -> dict[str, Any]:
    """Returns the path, bytes and checksum of a file, or of all files of a directory.

    A card that is beside files of another export shows by the checksum that it is not theirs.
    """
    inside = sorted(file for file in path.rglob("*") if file.is_file()) or [path]
    counted = [file for file in inside if file.stem != "model_card"]  # a version holds its own
    digest = hashlib.sha256()
    for file in counted:
        digest.update(f"{file.relative_to(path)}\0".encode() + file.read_bytes())
    return {
        "path": str(path.relative_to(directory)),
        "bytes": sum(file.stat().st_size for file in counted),
        "sha256": digest.hexdigest(),
    }
