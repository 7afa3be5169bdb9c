"""The model card: what was exported, from what, how well it does, and how to call it; for people and for programs."""

import inspect
import json
import pathlib
from collections.abc import Mapping, Sequence

import jinja2
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export.card import measurements, terms
from export.clients import backends
from export.litert import convert
from export.saved_model import examples, serving, warmup
from tfgen import files
from tfgen.types import Endpoint
from tfgen.version import __version__
from trainers.run.experiment import Experiment

TEMPLATE = pathlib.Path(__file__).parent / "templates" / "model_card.md"


def write(
    trained: Experiment,
    exported: Sequence[pathlib.Path],
    directory: pathlib.Path,
    measure: bool = True,
) -> list[pathlib.Path]:
    """Writes model_card.json and model_card.md, which say the same.

    Args:
        trained: the run.
        exported: files and directories that were written.
        directory: where to.
        measure: whether to load what was exported, time it, and compare LiteRT's answers with the library's.

    Returns:
        The two files.
    """
    found = card(trained, exported, directory, measure)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    text = environment.from_string(TEMPLATE.read_text()).render(found)
    contents = {"model_card.json": json.dumps(found, indent=1) + "\n", "model_card.md": text}
    for name, content in contents.items():
        with files.written_aside(directory / name) as aside:
            aside.write_text(content)
    return [directory / name for name in contents]


def card(
    trained: Experiment, exported: Sequence[pathlib.Path], directory: pathlib.Path, measure: bool
) -> dict:
    """All that the card says; see `write`."""
    algorithm = trained.algorithm
    version = next((path for path in exported if path.is_dir()), None)
    lite = any(path.suffix == ".tflite" for path in exported)
    return {
        "algorithm": trained.values.algorithm,
        "description": inspect.getdoc(inspect.getmodule(type(algorithm))).splitlines()[0],
        "nets": trained.values.nets,
        "version": __version__,
        "updates": algorithm.num_updates,
        "data": {
            "name": trained.values.dataset,
            "terms": terms.of(trained.values.dataset),
            "image_shape": list(algorithm.image_shape),
            "train_size": trained.data["train_size"],
        },
        "limits": _limits(trained),
        "machine": measurements.machine(),
        "measured": measure,
        "files": [
            {"path": str(path.relative_to(directory)), "bytes": _size(path)} for path in exported
        ],
        "saved_model": _saved_model(trained, version, directory, measure) if version else None,
        "tflite": _tflite(trained, directory / "tflite", measure) if lite else None,
        "measurements": trained.metrics.rows("evaluation"),
    }


def _limits(trained: Experiment) -> list[str]:
    shape = "x".join(map(str, trained.algorithm.image_shape))
    return [
        f"It takes images of {shape} unless an input's shape says otherwise; others must be cropped and resized first.",
        f"It has seen {trained.data['train_size']} images of {trained.values.dataset} and knows nothing else; what is "
        "one-sided in them is one-sided in its answers.",
        "What it generates or completes is plausible to the model, not what was there: no evidence of anything.",
        "Energies are known up to a constant: they compare images under this model, and no models.",
        "The time of an answer grows with num_steps and count, and nothing bounds them: a server for strangers must.",
    ]


def _saved_model(
    trained: Experiment, version: pathlib.Path, directory: pathlib.Path, measure: bool
) -> dict:
    shape = trained.algorithm.image_shape
    published = serving.endpoints(trained.algorithm)
    graph = saved_model_pb2.SavedModel.FromString(
        (version / "saved_model.pb").read_bytes()
    ).meta_graphs[0]
    times = measurements.served(version, published, shape) if measure else {}

    def described(name: str, endpoint: Endpoint) -> dict:
        given = examples.rows(endpoint, shape)
        words = [
            f"{spec.name}={examples.code(spec, given[spec.name], shape)}"
            for spec in endpoint.signature
        ]
        return {
            "inputs": _tensors({spec.name: spec for spec in endpoint.signature}),
            "outputs": _tensors(backends.specs(graph.signature_def[name].outputs)),
            "example": f'model.signatures["{name}"]({", ".join(words)})',
            "milliseconds": times.get(name),
        }

    return {
        "path": str(version.relative_to(directory)),
        "warm_up": (version / warmup.PLACE).exists(),
        "endpoints": {name: described(name, endpoint) for name, endpoint in published.items()},
    }


def _tflite(trained: Experiment, directory: pathlib.Path, measure: bool) -> dict:
    shape = trained.algorithm.image_shape

    def described(name: str, endpoint: Endpoint) -> dict:
        answer = tf.function(
            endpoint.fn, endpoint.signature, autograph=False
        ).get_concrete_function()
        given = examples.single(endpoint)
        words = [
            f"{spec.name}={examples.code(spec, given[spec.name], shape, 'np')}"
            for spec in endpoint.signature
        ]
        return {
            "inputs": _tensors({spec.name: spec for spec in endpoint.signature}),
            "outputs": _tensors(answer.structured_outputs),
            "example": f'tf.lite.Interpreter("tflite/{name}.tflite").get_signature_runner()({", ".join(words)})',
            "variants": measurements.variants(directory, name, given, answer(*given.values()))
            if measure
            else {},
        }

    found = convert.endpoints(trained.algorithm)
    return {
        "note": convert.note(trained.algorithm),
        "endpoints": {name: described(name, endpoint) for name, endpoint in found.items()},
    }


def _tensors(tensors: Mapping[str, tf.TensorSpec | tf.Tensor]) -> dict[str, dict]:
    return {name: {"dtype": t.dtype.name, "shape": list(t.shape)} for name, t in tensors.items()}


def _size(path: pathlib.Path) -> int:
    return (
        path.stat().st_size
        if path.is_file()
        else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
    )
