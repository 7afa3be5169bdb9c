"""Rows of requests to a published endpoint, and what the library answers to each of them alone."""

import io
from collections.abc import Callable, Mapping

import imageio.v3 as iio
import numpy as np
import tensorflow as tf

from export.saved_model import rows
from export.saved_model.rows import RowEndpoint
from tfgen.data import preprocess
from tfgen.models import Endpoint
from tfgen.models.inputs import Input

DIFFERENT = {
    "seed": lambda i: [3 + i, 4],
    "num_steps": lambda i: [3, 0, 5][i % 3],
    "index": lambda i: i,
}
"""Values that differ from row to row."""


def of(
    published: Endpoint, given: Mapping[str, np.ndarray], count: int = 3
) -> dict[str, np.ndarray]:
    """Returns a request: examples as they are given, other values repeated for each row.

    Args:
        published: the endpoint.
        given: by name; examples are at least `count`.
        count: rows.
    """
    found = {}
    for known in published.inputs:
        name = known.name
        if name in DIFFERENT:
            values = [DIFFERENT[name](i) for i in range(count)]
        elif np.ndim(given[name]) == known.row_spec.shape.rank:
            values = given[name][:count]
        else:
            values = [given[name]] * count
        found[name] = np.asarray(values, known.dtype.as_numpy_dtype)
    return found


def alone(endpoint: Endpoint, request: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns what the library answers to each row by itself, [rows, ...].

    Args:
        endpoint: the model's.
        request: rows by name.
    """
    if not endpoint.inputs:
        every = endpoint.traced()()
        return {name: value.numpy()[request["index"]] for name, value in every.items()}
    answer, found = endpoint.traced(), []
    for i in range(len(next(iter(request.values())))):
        inputs = {"count": 1}
        for known in endpoint.inputs:
            if known.name in request:
                values = request[known.name]
                inputs[known.name] = values[i : i + 1] if known.batched else values[i]
        found.append(answer(**inputs))
    return {name: np.concatenate([row[name] for row in found]) for name in found[0]}


def answer(signature: Callable, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns what a signature answers."""
    found = signature(**{name: tf.constant(value) for name, value in given.items()})
    return {name: value.numpy() for name, value in found.items()}


def endpoint_of(fn: Callable, *known: Input, outputs: tuple[str, ...] = ("energy",)) -> RowEndpoint:
    """Returns an endpoint by row that no model has."""
    return rows.by_row(Endpoint("made_up", fn, known, outputs, "Computes something."))


def picture(image: np.ndarray) -> bytes:
    """Returns the bytes of a grey image's PNG file."""
    file = io.BytesIO()
    iio.imwrite(file, preprocess.to_uint8(image).squeeze(-1), extension=".png")
    return file.getvalue()
