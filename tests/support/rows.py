"""Rows of requests to a published endpoint, and what the library answers to each of them alone."""

from collections.abc import Mapping

import numpy as np

from tfgen.models import Endpoint

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
            rows = [DIFFERENT[name](i) for i in range(count)]
        elif np.ndim(given[name]) == known.row_spec.shape.rank:
            rows = given[name][:count]
        else:
            rows = [given[name]] * count
        found[name] = np.asarray(rows, known.dtype.as_numpy_dtype)
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
                rows = request[known.name]
                inputs[known.name] = rows[i : i + 1] if known.batched else rows[i]
        found.append(answer(**inputs))
    return {name: np.concatenate([row[name] for row in found]) for name in found[0]}
