"""Requests: rows for an endpoint, made of what a user gives and of the model's defaults."""

import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from export.saved_model.description import EndpointDescription, Entry
from tfgen import random
from tfgen.errors import UserError
from trainers.drawings.request import row_seeds

FLAGS = {
    "num_steps": "steps",
    "label": "label",
    "size": "size",
    "gamma": "gamma",
    "spherical": "spherical",
}
"""The flag of each input that has one of its own; `--set` gives all others."""

BOOLEANS = {"true": True, "false": False}


def seeds(root: random.Seed, count: int) -> np.ndarray:
    """Returns a seed for each row, [count, 2]."""
    return np.asarray(row_seeds(root, count))


def indices(root: random.Seed, count: int) -> np.ndarray:
    """Returns the number of each row, [count]."""
    del root
    return np.arange(count)


NUMBERED: dict[str, Callable[[random.Seed, int], np.ndarray]] = {"seed": seeds, "index": indices}
"""The inputs that differ from row to row without being told."""


def given(
    endpoint: EndpointDescription, flags: Mapping[str, Any], words: Sequence[str]
) -> dict[str, np.ndarray]:
    """Returns the values of inputs by name, as flags and `--set` give them.

    Args:
        endpoint: which takes them.
        flags: values of the flags that set inputs, see `FLAGS`; None where one is not given.
        words: of `--set`.

    Raises:
        UserError: if the endpoint has no such input, or takes other values.
    """
    found = {}
    for name, flag in FLAGS.items():
        value = flags.get(flag)
        if value is None:
            continue
        if name not in endpoint.inputs:
            raise UserError(
                f"--{flag}: expected none, since {endpoint.name} of this model takes no {name}"
            )
        found[name] = np.asarray(value, endpoint.inputs[name].dtype)
    return found | settings(endpoint, words)


def settings(endpoint: EndpointDescription, words: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns values of inputs by name, as `--set` gives them.

    Args:
        endpoint: which takes them.
        words: NAME=VALUE each. A value is a number, true or false, several with commas between
            them, or a .npy file.

    Raises:
        UserError: if the endpoint has no such input, or takes other values.
    """
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"--set: expected NAME=VALUE and found {word}")
        if name not in endpoint.inputs:
            raise UserError(
                f"--set: expected one of {', '.join(endpoint.inputs)}, which {endpoint.name} of "
                f"this model takes, and found {name}"
            )
        found[name] = _value(name, endpoint.inputs[name], text)
    return found


def rows(
    endpoint: EndpointDescription, given: Mapping[str, Any], *, count: int, root: random.Seed
) -> dict[str, np.ndarray]:
    """Returns a request with a value of each input for each row.

    Args:
        endpoint: to ask.
        given: values by input: one for all rows, or one a row. What is not given takes its
            default; what is no input is left out.
        count: rows, where no input is given a value a row.
        root: from which a seed is made for each row, unless seeds are given.

    Returns:
        By name, [rows, ...].

    Raises:
        UserError: if an input has neither value nor default, or not one for each row, or a value
            that the export would refuse.
    """
    taken = {name: np.asarray(given[name]) for name in endpoint.inputs if name in given}
    count = _count(endpoint, taken, count)
    found = {}
    for name, entry in endpoint.inputs.items():
        value = taken.get(name)
        if value is None and name in NUMBERED:
            value = NUMBERED[name](root, count)
        if value is None:
            value = _default(endpoint, name)
        value = value.astype(entry.dtype)
        _check_numbers(name, entry, value)
        several = _is_several(entry, value)
        found[name] = value if several else np.broadcast_to(value, (count, *value.shape))
    return found


def _check_numbers(name: str, entry: Entry, value: np.ndarray) -> None:
    """Raises UserError if an input's numbers are not finite, or beyond what the export takes."""
    said = entry.check or "other numbers"
    tests = []
    if value.dtype.kind == "f":
        tests.append(("finite numbers", np.isfinite(value)))
    if entry.low is not None:
        tests.append((said, value >= entry.low))
    if entry.high is not None:
        tests.append((said, value <= entry.high))
    for words, passed in tests:
        if not passed.all():
            found = value[~passed].flat[0] if value.ndim else value
            raise UserError(f"{name}: expected {words} and found {found:g}")


def _count(endpoint: EndpointDescription, given: Mapping[str, np.ndarray], otherwise: int) -> int:
    """Returns the number of rows that values are given for."""
    several = [name for name in given if _is_several(endpoint.inputs[name], given[name])]
    if not several:
        return otherwise
    first = several[0]
    for name in several:
        if len(given[name]) != len(given[first]):
            raise UserError(
                f"--set: expected {len(given[first])} rows of {name}, as of {first}, and found "
                f"{len(given[name])}"
            )
    return len(given[first])


def _default(endpoint: EndpointDescription, name: str) -> np.ndarray:
    entry = endpoint.inputs[name]
    if entry.default is None:
        where = f"--{FLAGS[name]}: expected" if name in FLAGS else f"--set: expected {name}=VALUE,"
        raise UserError(
            f"{where} {entry.meaning}, which {endpoint.name} of this model takes, and found none"
        )
    return np.asarray(entry.default)


def _is_several(entry: Entry, value: np.ndarray) -> bool:
    return value.ndim > len(entry.shape)


def _value(name: str, entry: Entry, text: str) -> np.ndarray:
    """Returns the value that a text gives to an input, for all rows or for each."""
    if text.endswith(".npy"):
        value = _array(name, pathlib.Path(text))
    else:
        value = _numbers(name, entry, text)
    one = tf.TensorShape(entry.shape)
    several = tf.TensorShape([None]).concatenate(one)
    if not any(shape.is_compatible_with(value.shape) for shape in (one, several)):
        raise UserError(
            f"--set: expected {name} of the shape {list(entry.shape)}, for all rows or for each, "
            f"and found {list(value.shape)}"
        )
    return value.astype(entry.dtype)


def _array(name: str, path: pathlib.Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise UserError(f"--set: could not read {name} from {path}, a .npy file") from error


def _numbers(name: str, entry: Entry, text: str) -> np.ndarray:
    words = text.split(",")
    kinds: dict[str, Callable[[str], Any]] = {"b": BOOLEANS.__getitem__, "i": int, "f": float}
    number_of = kinds[np.dtype(entry.dtype).kind]
    try:
        values = np.array([number_of(word) for word in words])
    except (KeyError, ValueError) as error:
        raise UserError(f"--set: expected {name} as {entry.dtype} and found {text}") from error
    shape = [side or 0 for side in entry.shape]
    if 0 in shape:
        raise UserError(f"--set: expected {name} as a .npy file and found {text}")
    if len(values) == 1:
        return np.broadcast_to(values[0], shape)
    # other numbers of values are one for each row, or do not fit
    return values.reshape(shape) if len(values) == math.prod(shape) else values
