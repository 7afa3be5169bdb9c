"""A LiteRT file that Python runs."""

import pathlib
import warnings
from typing import Any

import tensorflow as tf


def runner(model: pathlib.Path | bytes) -> Any:
    """Returns a callable that runs a LiteRT model: its inputs by name to its outputs by name.

    Args:
        model: a file, or its bytes.

    Example:
        >>> runner(pathlib.Path("export/tflite/energy.tflite"))(image=image)["energy"]
    """
    given = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    with warnings.catch_warnings():
        # TensorFlow says at each use that it will drop its interpreter for the package
        # ai_edge_litert one day
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        return tf.lite.Interpreter(**given).get_signature_runner()
