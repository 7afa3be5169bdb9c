"""Checkpoints: directories that are written aside and moved into place whole."""

import os
import pathlib
import re
import shutil
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tfgen.errors import UserError

State = Mapping[str, Sequence[keras.Variable]]
"""All variables a run consists of, in named lists of a fixed order."""

_NAME = re.compile(r"step-(\d{10})")


def steps(directory: pathlib.Path) -> list[int]:
    """The steps of the complete checkpoints in a directory, oldest first."""
    if not directory.is_dir():
        return []
    return sorted(int(m[1]) for path in directory.iterdir() if (m := _NAME.fullmatch(path.name)))


def save(directory: pathlib.Path, step: int, state: State, keep: int) -> None:
    """Writes a checkpoint, then removes all but the newest; a kill at any moment leaves the older ones whole.

    Args:
        directory: of all the run's checkpoints.
        step: the updates made.
        state: what to keep.
        keep: how many checkpoints to leave, at least 1.
    """
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory / f"writing-{os.getpid()}"
    place = directory / f"step-{step:010d}"
    for leftover in directory.glob("writing-*"):
        shutil.rmtree(leftover)
    try:
        _checkpoint(state).write(str(aside / "state"))
        for file in aside.iterdir():
            _flush(file)
        if (
            not place.exists()
        ):  # a step that stands already has the same state: it follows from seed and step
            aside.rename(place)
    except (
        tf.errors.OpError
    ) as error:  # what TensorFlow makes of a disk that is full or not to be written on
        raise UserError(
            f"{directory}: could not write a checkpoint ({error.message.splitlines()[0]})"
        ) from error
    finally:
        for leftover in directory.glob("writing-*"):
            shutil.rmtree(leftover, ignore_errors=True)
    _flush(directory)
    for old in steps(directory)[:-keep]:
        shutil.rmtree(directory / f"step-{old:010d}")


def restore(directory: pathlib.Path, state: State, step: int | None = None) -> int:
    """Reads a checkpoint back.

    Args:
        directory: of all the run's checkpoints.
        state: what to set.
        step: which; the newest by default.

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
    path = directory / f"step-{step:010d}"
    try:
        _checkpoint(state).read(str(path / "state")).assert_consumed()
    except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
        raise UserError(
            f"workdir: expected {path} to be a whole checkpoint of this run and could not read it"
        ) from error
    return step


def _checkpoint(state: State) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(**{name: list(variables) for name, variables in state.items()})


def _flush(path: pathlib.Path) -> None:
    """Forces a file or a directory's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
