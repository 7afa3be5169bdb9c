"""LiteRT files: one an endpoint, built-in operators only."""

import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from export.litert import forms
from export.litert.runner import runner
from export.saved_model import examples
from tfgen import files
from tfgen.errors import UserError
from tfgen.models import Endpoint, Model
from tfgen.nets.convolution import implementations

VARIANTS = ("float32", "int8", "float16")
"""float32 as trained; int8: weights of large layers in 8 bits (dynamic range); float16: weights in
16 bits."""

endpoints = forms.endpoints
NOTE = forms.NOTE


def convert(endpoint: Endpoint, variants: Sequence[str] = ("float32",)) -> dict[str, bytes]:
    """Converts one endpoint, whose only signature is then `serving_default`.

    The endpoint is traced once for all variants.

    Args:
        endpoint: whose inputs are taken as those of one example.
        variants: of `VARIANTS`.

    Returns:
        The bytes of a LiteRT model by variant.

    Raises:
        UserError: if LiteRT has no operator for something that the endpoint does, or an answer is
            not finite.
    """
    specs = {known.name: known.single_spec for known in endpoint.inputs}

    def sized(**given):
        return endpoint.fn(**{name: _of_fixed_size(value) for name, value in given.items()})

    with implementations.portable():
        function = tf.function(sized, autograph=False)
        concrete = function.get_concrete_function(**specs)
    # variables inside a while loop must be constants before the converter sees them
    frozen = _without_gradients(
        convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    )
    taken = [
        tensor.name.partition(":")[0] for tensor in concrete.inputs if tensor.dtype != tf.resource
    ]
    names = sorted(concrete.structured_outputs)
    module = tf.Module()

    def answer(**given):
        found = frozen(*(given[name] for name in taken))
        return dict(zip(names, found, strict=True))

    module.answer = tf.function(answer, autograph=False)
    signature = module.answer.get_concrete_function(**specs)
    try:
        made = {variant: _converter(signature, module, variant).convert() for variant in variants}
    except Exception as error:  # the converter's own class of error is not public
        reason = str(error).strip().splitlines()[0][:200]
        raise UserError(
            f"--formats: LiteRT cannot run {endpoint.name} of this model ({reason})"
        ) from error
    if all(known.example is not None for known in endpoint.inputs):
        for variant, content in made.items():
            _check_answer(endpoint, variant, content)
    return made


def write(
    model: Model, directory: pathlib.Path, variants: Sequence[str] = ("float32",)
) -> list[pathlib.Path]:
    """Writes one file an endpoint and variant.

    Args:
        model: trained.
        directory: where to.
        variants: of `VARIANTS`.

    Returns:
        The files.
    """
    written = []
    for name, endpoint in endpoints(model).items():
        for variant, content in convert(endpoint, variants).items():
            path = directory / file_name(name, variant)
            with files.written_aside(path) as aside:
                aside.write_bytes(content)
            written.append(path)
    return written


def file_name(endpoint: str, variant: str) -> str:
    """Returns ENDPOINT.tflite, or ENDPOINT.VARIANT.tflite of the smaller variants."""
    return f"{endpoint}.tflite" if variant == "float32" else f"{endpoint}.{variant}.tflite"


def run(path: pathlib.Path, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Runs a file once.

    Args:
        path: a LiteRT file.
        inputs: by name.

    Returns:
        The outputs by name.

    Raises:
        UserError: if an input has another size than the file was made for.
    """
    model = runner(path.read_bytes())
    for name, details in model.get_input_details().items():
        sides = [None if side < 0 else int(side) for side in details["shape_signature"]]
        found = np.shape(inputs[name])
        if not tf.TensorShape(sides).is_compatible_with(found):
            words = ", ".join("any" if side is None else str(side) for side in sides)
            raise UserError(
                f"{name}: expected the shape [{words}], since {path.name} takes one example, and "
                f"found {list(found)}"
            )
    return model(**inputs)


def _of_fixed_size(value: tf.Tensor) -> tf.Tensor:
    """Returns a tensor that a LiteRT interpreter refuses to resize, but along its free sides.

    Without it an interpreter that is given several examples writes beyond the memory of one.
    """
    for axis, side in enumerate(value.shape):
        if side is not None:
            # in one part that is as long as the side, which LiteRT checks
            (value,) = tf.raw_ops.SplitV(value=value, size_splits=[side], axis=axis, num_split=1)
    return value


def _check_answer(endpoint: Endpoint, variant: str, content: bytes) -> None:
    """Raises UserError if a file's answer to the endpoint's own example is not finite."""
    for name, value in runner(content)(**examples.single(endpoint)).items():
        if not np.isfinite(value).all():
            raise UserError(
                f"{endpoint.name}: expected finite numbers of {name} from the {variant} file, and "
                "found NaN or infinity; export an older checkpoint by --step, or train anew"
            )


def _converter(signature, module: tf.Module, variant: str) -> tf.lite.TFLiteConverter:
    """Returns a converter to built-in operators, for a variant."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _without_gradients(frozen):
    """Returns the same function without the custom gradients that a signature cannot hold."""
    graph = frozen.graph.as_graph_def()
    nodes = [node for function in graph.library.function for node in function.node_def]
    for node in [*graph.node, *nodes]:
        node.attr.pop("_gradient_op_type", None)
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    inputs, outputs = ([t.name for t in ts] for ts in (frozen.inputs, frozen.outputs))
    return imported.prune(inputs, outputs)
