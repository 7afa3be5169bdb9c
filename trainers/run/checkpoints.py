"""Checkpoints: directories that are written aside and moved into place whole.

A checkpoint holds the state of the training, `state.*`, the model as `tfgen.load` reads it,
`model/`, with averaged weights where an optimizer keeps them, and a record of both, `record.json`.
"""

import contextlib
import os
import pathlib
import re
import shutil
import sys
from collections.abc import Callable, Collection, Mapping

import keras
import numpy as np
import tensorflow as tf

from tfgen import files
from tfgen.errors import UserError
from tfgen.models import saved
from trainers.run import records
from trainers.run.records import DamagedError, Stamp
from trainers.run.state import State, described, not_finite

ASIDE = re.compile(r"writing-(\d+)")

steps = saved.checkpoint_steps


class NotFiniteError(UserError):
    """A state that holds NaN or infinity."""


def save(
    directory: pathlib.Path,
    step: int,
    state: State,
    keep: int,
    save_model: Callable[[pathlib.Path], None] | None = None,
    stamp: Stamp | None = None,
    pinned: Collection[int] = (),
) -> None:
    """Writes a checkpoint, then removes all but the newest and those that are pinned.

    A kill at any moment leaves the older ones whole.

    Args:
        directory: of all the run's checkpoints.
        step: the updates made.
        state: what to keep.
        keep: how many checkpoints to leave, at least 1.
        save_model: writes the model to a directory; None: the checkpoint has no model.
        stamp: the run that the checkpoint belongs to.
        pinned: steps whose checkpoints stay besides.

    Raises:
        NotFiniteError: if a number is not finite; nothing is written.
        UserError: if the disk is full or not to be written on.
    """
    bad = not_finite(state)
    if bad is not None:
        raise NotFiniteError(f"{directory}: not saved at step {step}, since {bad} is not finite")
    directory.mkdir(parents=True, exist_ok=True)
    aside, place = directory / f"writing-{os.getpid()}", saved.checkpoint(directory, step)
    clear_leftovers(directory)
    try:
        _write(aside, step, state, save_model, stamp or Stamp())
        # a step that stands already has the same state, which follows from seed and step
        if not place.exists():
            aside.rename(place)
    except tf.errors.OpError as error:  # what TensorFlow makes of a full or read-only disk
        reason = error.message.splitlines()[0]
        raise UserError(f"{directory}: could not write a checkpoint ({reason})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    files.flush(directory)
    prune(directory, keep, pinned)


def _write(
    aside: pathlib.Path,
    step: int,
    state: State,
    save_model: Callable[[pathlib.Path], None] | None,
    stamp: Stamp,
) -> None:
    _checkpoint(state).write(str(aside / "state"))
    if save_model is not None:
        save_model(aside / saved.MODEL)
    records.write(aside, step, described(state), stamp)
    for path in (*aside.rglob("*"), aside):
        files.flush(path)


def prune(directory: pathlib.Path, keep: int, pinned: Collection[int] = ()) -> None:
    """Removes all checkpoints but the newest and those that are pinned.

    Those that a stopped run left within a logging interval go with the next one.
    """
    *older, newest = steps(directory)
    passing = {s for s in older if is_passing(saved.checkpoint(directory, s))}
    kept = {*[s for s in (*older, newest) if s not in passing][-keep:], newest, *pinned}
    for step in older:
        if step not in kept:
            shutil.rmtree(saved.checkpoint(directory, step))


def clear_leftovers(directory: pathlib.Path) -> None:
    """Removes the half-written checkpoints of processes that are gone."""
    for leftover in directory.glob("writing-*"):
        match = ASIDE.fullmatch(leftover.name)
        pid = int(match[1]) if match else 0
        if pid == os.getpid() or (pid and not files.is_alive(pid)):
            shutil.rmtree(leftover)


def restore(
    directory: pathlib.Path,
    state: State,
    step: int | None = None,
    stamp: Stamp | None = None,
    growable: Collection[str] = (),
) -> int:
    """Sets variables to a checkpoint; a damaged one is set aside for the one before.

    Args:
        directory: of all the run's checkpoints.
        state: what to set.
        step: which; None: the newest that is whole.
        stamp: what the checkpoint must say of flags and data; None: anything.
        growable: names of variables that may have more rows or fewer than the checkpoint's; the
            first ones are set, and others stay as they are.

    Returns:
        The updates that had been made.

    Raises:
        UserError: if there is none, or it does not fit.
        DamagedError: if the given step is damaged, or all are.
    """
    if step is None:
        step = newest_whole(directory)
    path = saved.checkpoint(directory, step)
    record = records.check(path)
    _check_fits(path, record, state, stamp, growable)
    kept = _of_other_lengths(record, state, growable)
    try:
        _checkpoint({**state, **kept}).read(str(path / "state")).assert_consumed()
    except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
        raise DamagedError(f"{path}: its state could not be read") from error
    for name, variable in kept.items():
        _set_first_rows(state[name], variable)
    bad = not_finite(state)
    if bad is not None:
        raise NotFiniteError(f"{path}: expected finite numbers and found others in {bad}")
    return step


def newest_whole(directory: pathlib.Path, set_aside: bool = True, most: int | None = None) -> int:
    """Returns the step of the newest checkpoint whose files are whole, and tells of the others.

    Args:
        directory: of all the run's checkpoints.
        set_aside: whether damaged ones are renamed, to `damaged-step-...`.
        most: the newest step to consider; None: any.

    Raises:
        UserError: if there is none.
    """
    found = steps(directory)
    if not found:
        raise UserError(
            f"workdir: expected a checkpoint under {directory} and found none; train first"
        )
    if not any((saved.checkpoint(directory, step) / records.NAME).exists() for step in found):
        raise UserError(
            f"workdir: expected checkpoints with a {records.NAME} under {directory} and found "
            "none; they are of an earlier version of tfgen: train anew, or use that version"
        )
    damages = []
    for step in reversed([s for s in found if most is None or s <= most]):
        path = saved.checkpoint(directory, step)
        try:
            records.check(path)
        except DamagedError as error:
            if path.exists():  # else another process removed it just now
                damages.append((path, error))
            continue
        for damaged, reason in damages:
            where = _set_aside(damaged) if set_aside else None
            moved = f"; it is now {where.name}" if where else ""
            print(f"{reason}{moved}; {path.name} is used in its place", file=sys.stderr)
        return step
    raise DamagedError(f"workdir: {damages[-1][1] if damages else directory}, and none is whole")


def _of_other_lengths(record: Mapping, state: State, growable: Collection[str]) -> State:
    """Returns a variable of the checkpoint's shape for each with another number of rows here."""
    shapes = {name: tuple(record["variables"][name][1:]) for name in growable}
    return {
        name: keras.Variable(np.zeros(shape), dtype=state[name].dtype, trainable=False)
        for name, shape in shapes.items()
        if shape != tuple(state[name].shape)
    }


def _set_first_rows(variable: keras.Variable, rows: keras.Variable) -> None:
    """Copies rows to a variable's first ones, as many as both have."""
    count = min(variable.shape[0], rows.shape[0])
    variable.assign(tf.concat([rows.value[:count], variable.value[count:]], axis=0))


def _check_fits(
    path: pathlib.Path,
    record: Mapping,
    state: State,
    stamp: Stamp | None,
    growable: Collection[str],
) -> None:
    """Raises UserError at the first variable that differs, or at other flags or data."""
    ours, theirs = described(state), record["variables"]
    if not theirs:
        raise UserError(
            f"workdir: {path} holds a model without the state of its training, as that of a "
            "pretrained model, and cannot be gone on with; train anew in another directory"
        )
    for name in [*ours, *theirs]:
        if name in growable and _is_another_length(ours[name], theirs.get(name)):
            continue
        if ours.get(name) != theirs.get(name):
            raise UserError(
                f"workdir: expected {path} to be of this run's nets and optimizers; its variable "
                f"{name} is {_words(theirs.get(name))} where {_words(ours.get(name))} is needed"
            )
    if stamp is not None:
        check_stamp(path, record, stamp)


def check_stamp(path: pathlib.Path, record: Mapping, stamp: Stamp) -> None:
    """Raises UserError unless a checkpoint was made with these flags and data."""
    for name, file in (("flags", "flags.cfg"), ("data", "data.json")):
        given, made = vars(stamp)[name], record["stamp"][name]
        if given and made and given != made:
            raise UserError(
                f"workdir: {path} was made with another {file} than stands there now; put the "
                "old one back, or train anew"
            )


def _is_another_length(ours: list, theirs: list | None) -> bool:
    """Returns whether two descriptions differ in the number of rows alone."""
    if theirs is None or len(ours) != len(theirs) or len(ours) < 2:
        return False
    return (ours[0], *ours[2:]) == (theirs[0], *theirs[2:])


def _words(described: list | None) -> str:
    if described is None:
        return "missing"
    dtype, *shape = described
    return f"{dtype} {shape}"


def is_passing(path: pathlib.Path) -> bool:
    """Returns whether a checkpoint stands within a logging interval, where a run was stopped."""
    stamp = records.stamp_of(path)
    return stamp is not None and stamp.passing


def _set_aside(path: pathlib.Path) -> pathlib.Path | None:
    """Renames a damaged checkpoint, and returns its new place, or None if that may not be."""
    place, number = path.with_name(f"damaged-{path.name}"), 1
    while place.exists():
        number += 1
        place = path.with_name(f"damaged-{path.name}.{number}")
    with contextlib.suppress(OSError):
        path.rename(place)
        files.flush(path.parent)
        return place
    return None


def _checkpoint(state: State) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(state=dict(state))
