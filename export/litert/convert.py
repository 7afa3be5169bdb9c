"""LiteRT files: one an endpoint, built-in operators only."""

import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from export.litert import cascade, energy, latent
from tfgen import files
from tfgen.errors import UserError
from tfgen.models import CascadeTasks, EnergyTasks, LatentTasks
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.convolution import implementations
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint

VARIANTS = ("float32", "int8", "float16")
"""float32 as trained; int8: weights of large layers in 8 bits (dynamic range); float16: weights in 16 bits."""


def endpoints(algorithm: Algorithm) -> dict[str, Endpoint]:
    """The endpoints of an algorithm that LiteRT can run, for one image at a time.

    Args:
        algorithm: whose `tasks` are `EnergyTasks`, `LatentTasks` or `CascadeTasks`.

    Returns:
        See `tflite_energy`, `tflite_latent` and `tflite_cascade`.

    Raises:
        UserError: if the algorithm has no such tasks.
    """
    match getattr(algorithm, "tasks", None):
        case LatentTasks() as tasks:
            return latent.endpoints(tasks)
        case CascadeTasks() as tasks:
            return cascade.endpoints(tasks)
        case EnergyTasks() as tasks if isinstance(algorithm.energy, ScoringFunction):
            return energy.endpoints(algorithm.energy, tasks)
    raise UserError(
        "--formats: tflite expects a model with a generator, a cascade, or a scoring function"
    )


def note(algorithm: Algorithm) -> str:
    """How an algorithm's files differ from its SavedModel's endpoints, for people to read."""
    notes = {LatentTasks: latent.NOTE, CascadeTasks: cascade.NOTE, EnergyTasks: energy.NOTE}
    return notes[type(algorithm.tasks)]


def convert(endpoint: Endpoint, variants: Sequence[str] = ("float32",)) -> dict[str, bytes]:
    """LiteRT models of one endpoint by variant, whose only signature is `serving_default`; it is traced once for all.

    Args:
        endpoint: of one image.
        variants: of `VARIANTS`.

    Returns:
        The files' bytes.
    """
    function = tf.function(endpoint.fn, input_signature=endpoint.signature, autograph=False)
    with implementations.portable():
        concrete = function.get_concrete_function()
    # variables inside a while loop must be constants before the converter sees them
    frozen = _plain(convert_variables_to_constants_v2(concrete, lower_control_flow=False))
    names = sorted(concrete.structured_outputs)
    module = tf.Module()
    module.answer = tf.function(
        lambda **inputs: dict(
            zip(names, frozen(*(inputs[n] for n in endpoint.inputs)), strict=True)
        ),
        autograph=False,
    )
    signature = module.answer.get_concrete_function(
        **{spec.name: spec for spec in endpoint.signature}
    )
    return {variant: _converter(signature, module, variant).convert() for variant in variants}


def write(
    algorithm: Algorithm, directory: pathlib.Path, variants: Sequence[str] = ("float32",)
) -> list[pathlib.Path]:
    """Writes one file an endpoint and variant.

    Args:
        algorithm: trained.
        directory: where to.
        variants: of `VARIANTS`.

    Returns:
        The files.
    """
    written = []
    for name, endpoint in endpoints(algorithm).items():
        for variant, content in convert(endpoint, variants).items():
            path = directory / file_name(name, variant)
            with files.written_aside(path) as aside:
                aside.write_bytes(content)
            written.append(path)
    return written


def file_name(endpoint: str, variant: str) -> str:
    """ENDPOINT.tflite, and ENDPOINT.VARIANT.tflite of the smaller ones."""
    return f"{endpoint}.tflite" if variant == "float32" else f"{endpoint}.{variant}.tflite"


def run(path: pathlib.Path, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Runs a file once.

    Args:
        path: a LiteRT file.
        inputs: by name.

    Returns:
        The outputs by name.
    """
    interpreter = tf.lite.Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    return runner(**inputs)


def _converter(signature, module: tf.Module, variant: str) -> tf.lite.TFLiteConverter:
    """Of built-in operators, for a variant."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _plain(frozen):
    """The same function without what the converter does not understand."""
    graph = frozen.graph.as_graph_def()
    for node in [
        *graph.node,
        *(node for function in graph.library.function for node in function.node_def),
    ]:
        # none is taken of a file's answer, and a signature cannot hold custom ones
        node.attr.pop("_gradient_op_type", None)
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    return imported.prune([t.name for t in frozen.inputs], [t.name for t in frozen.outputs])
