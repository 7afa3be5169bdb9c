"""Checkpoints: directories that are written aside and moved into place whole.

A checkpoint holds the state of the training, `state.*`, and the model as `tfgen.load` reads it,
`model/`, with averaged weights where an optimizer keeps them.
"""

import os
import pathlib
import shutil
from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from tfgen import files
from tfgen.errors import UserError
from tfgen.models import saved
from tfgen.training.algorithm import Algorithm

State = Mapping[str, Sequence[keras.Variable]]
"""All variables of a training, in named lists of a fixed order."""

steps = saved.checkpoint_steps


def state_of(algorithm: Algorithm) -> State:
    """Returns all variables that a checkpoint keeps of a training."""
    optimizers = algorithm.optimizers.values()
    return {
        "weights": algorithm.weights,
        "optimizers": [v for optimizer in optimizers for v in optimizer.variables],
    }


def save(
    directory: pathlib.Path,
    step: int,
    state: State,
    keep: int,
    save_model: Callable[[pathlib.Path], None] | None = None,
) -> None:
    """Writes a checkpoint, then removes all but the newest.

    A kill at any moment leaves the older ones whole.

    Args:
        directory: of all the run's checkpoints.
        step: the updates made.
        state: what to keep.
        keep: how many checkpoints to leave, at least 1.
        save_model: writes the model to a directory; None: the checkpoint has no model.

    Raises:
        UserError: if the disk is full or not to be written on, or a weight is not finite.
    """
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory / f"writing-{os.getpid()}"
    place = saved.checkpoint(directory, step)
    for leftover in directory.glob("writing-*"):
        shutil.rmtree(leftover)
    try:
        _checkpoint(state).write(str(aside / "state"))
        if save_model is not None:
            save_model(aside / saved.MODEL)
        for path in (*aside.rglob("*"), aside):
            files.flush(path)
        # a step that stands already has the same state, which follows from seed and step
        if not place.exists():
            aside.rename(place)
    except tf.errors.OpError as error:  # what TensorFlow makes of a full or read-only disk
        reason = error.message.splitlines()[0]
        raise UserError(f"{directory}: could not write a checkpoint ({reason})") from error
    finally:
        for leftover in directory.glob("writing-*"):
            shutil.rmtree(leftover, ignore_errors=True)
    files.flush(directory)
    for old in steps(directory)[:-keep]:
        shutil.rmtree(saved.checkpoint(directory, old))


def restore(directory: pathlib.Path, state: State, step: int | None = None) -> int:
    """Sets variables to a checkpoint.

    Args:
        directory: of all the run's checkpoints.
        state: what to set.
        step: which; None: the newest.

    Returns:
        The updates that had been made.

    Raises:
        UserError: if there is none, it is damaged, or it does not fit.
    """
    found = steps(directory)
    if not found:
        raise UserError(
            f"workdir: expected a checkpoint under {directory} and found none; train first"
        )
    step = found[-1] if step is None else step
    path = saved.checkpoint(directory, step)
    try:
        _checkpoint(state).read(str(path / "state")).assert_consumed()
    except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
        raise UserError(
            f"workdir: expected {path} to be a whole checkpoint of this run and could not read it"
        ) from error
    return step


def _checkpoint(state: State) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(**{name: list(variables) for name, variables in state.items()})
