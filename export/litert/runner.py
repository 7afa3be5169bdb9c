"""A LiteRT file that Python runs."""

import warnings
from typing import Any

import tensorflow as tf


def runner(model: bytes) -> Any:
    """Returns a callable that runs a LiteRT model: its inputs by name to its outputs by name.

    Args:
        model: what a file holds.

    Example:
        >>> runner(path.read_bytes())(image=image)["energy"]
    """
    with warnings.catch_warnings():
        # TensorFlow says at each use that it will drop its interpreter for the package
        # ai_edge_litert one day
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        return tf.lite.Interpreter(model_content=model).get_signature_runner()
