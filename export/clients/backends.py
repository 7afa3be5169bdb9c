"""Where an exported model answers: in this process, from its directory, or behind a server."""

import abc
import pathlib
import re
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from tfgen.errors import UserError

Inputs = dict[str, tf.TensorSpec]
"""What a signature takes, by name."""


class Model(abc.ABC):
    """An exported model that can be asked.

    Args:
        signatures: what each takes.
    """

    def __init__(self, signatures: Mapping[str, Inputs]):
        self.signatures = dict(signatures)

    @property
    def usual_steps(self) -> int:
        """Sampling steps of a model with a generator, of a cascade, of an energy alone."""
        return next(
            (steps for name, steps in (("decode", 0), ("advance", 20)) if name in self.signatures),
            1000,
        )

    @abc.abstractmethod
    def answer(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What a signature answers.

        Args:
            signature: its name.
            inputs: by name, [b, ...].

        Returns:
            By name, [b, ...].

        Raises:
            UserError: if it refuses, or is not to be reached.
        """


class Loaded(Model):
    """The newest version of a SavedModel, in this process.

    Args:
        directory: the model's, with a directory for each version.

    Raises:
        UserError: if there is none, or it is damaged.
    """

    def __init__(self, directory: pathlib.Path):
        self.functions = load(directory).signatures
        super().__init__(
            {name: dict(f.structured_input_signature[1]) for name, f in self.functions.items()}
        )

    def answer(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            found = self.functions[signature](
                **{name: tf.convert_to_tensor(v) for name, v in inputs.items()}
            )
        except tf.errors.InvalidArgumentError as error:
            raise UserError(f"--saved_model: {refusal(error.message)}") from error
        return {name: value.numpy() for name, value in found.items()}


def load(directory: pathlib.Path):
    """The newest version of a model, as TensorFlow loads it.

    Args:
        directory: with a directory for each version.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    versions = sorted(
        (d for d in directory.glob("*") if d.name.isdigit()), key=lambda d: int(d.name)
    )
    if not versions:
        raise UserError(
            f"--saved_model: expected a directory of versions 1, 2, ... and found none in {directory}"
        )
    try:
        return tf.saved_model.load(str(versions[-1]))
    except Exception as error:  # what is cut short or changed fails in many ways
        raise UserError(
            f"--saved_model: expected a whole SavedModel and could not load {versions[-1]}"
        ) from error


def declared(signatures: Iterable[tuple[str, meta_graph_pb2.SignatureDef]]) -> dict[str, Inputs]:
    """What signatures take, of what a server says of them."""
    return {name: specs(found.inputs) for name, found in signatures}


def specs(tensors: Mapping[str, meta_graph_pb2.TensorInfo]) -> Inputs:
    """Types and shapes of a signature's inputs, or of its outputs, by name."""
    return {name: _spec(name, tensors[name]) for name in sorted(tensors)}


def refusal(message: str) -> str:
    """What a model's own check said, without the graph's words around it; all of it if none of its checks did."""
    found = re.search(r"assertion failed: \[(.*? and found)\] ([^\n\t]*)", message)
    return " ".join(found.groups()).strip() if found else " ".join(message.split())[:400]


def _spec(name: str, info: meta_graph_pb2.TensorInfo) -> tf.TensorSpec:
    sides = (
        None
        if info.tensor_shape.unknown_rank
        else [d.size if d.size >= 0 else None for d in info.tensor_shape.dim]
    )
    return tf.TensorSpec(sides, tf.as_dtype(info.dtype), name)
