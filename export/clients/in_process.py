"""SavedModels in this process."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from export.clients.exported import Exported, refusal
from export.saved_model import description
from tfgen.errors import UserError


class InProcess(Exported):
    """The newest version of a SavedModel.

    Args:
        directory: the model's, with a directory for each version.

    Raises:
        UserError: if there is none, it is damaged, or it is not one of tfgen's.
    """

    def __init__(self, directory: pathlib.Path):
        super().__init__("saved_model")
        self.functions = load(directory).signatures
        if description.NAME not in self.functions:
            raise UserError(
                f"--saved_model: expected a model with the endpoint {description.NAME} and found "
                f"none in {directory}; export it again"
            )

    def answer(self, endpoint: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        given = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
        try:
            found = self.functions[endpoint](**given)
        except tf.errors.InvalidArgumentError as error:
            raise UserError(f"--saved_model: {refusal(error.message)}") from error
        except TypeError as error:  # a shape that TensorFlow itself refuses, in a long message
            raise UserError(f"--saved_model: {refusal(str(error))}") from error
        return {name: value.numpy() for name, value in found.items()}


def load(directory: pathlib.Path):
    """Returns the newest version of a model, as TensorFlow loads it.

    Args:
        directory: with a directory for each version.

    Raises:
        UserError: if there is none, or it is damaged.
    """
    versions = [place for place in directory.glob("*") if place.name.isdigit()]
    if not versions:
        raise UserError(
            "--saved_model: expected a directory of versions 1, 2, ... and found none in "
            f"{directory}"
        )
    newest = max(versions, key=lambda place: int(place.name))
    try:
        with _without_notes():
            return tf.saved_model.load(str(newest))
    except Exception as error:  # what is cut short or changed fails in many ways
        raise UserError(
            f"--saved_model: expected a whole SavedModel and could not load {newest}"
        ) from error


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Silences TensorFlow's notes that an export cannot be differentiated, which nobody does."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
