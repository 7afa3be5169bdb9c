"""Rows of requests to a published endpoint, and what the library answers to each of them alone."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfgen.types import Endpoint

OWN = {"seed": lambda i: [3 + i, 4], "num_steps": lambda i: [3, 0, 5][i % 3], "index": lambda i: i}
"""What differs from row to row."""


def of(
    published: Endpoint, given: Mapping[str, np.ndarray], count: int = 3
) -> dict[str, np.ndarray]:
    """A request: examples as they are given, a number for each row where one was given for all.

    Args:
        published: the endpoint.
        given: by name; examples are at least `count`.
        count: rows.
    """
    found = {}
    for spec in published.signature:
        if spec.name in OWN:
            rows = [OWN[spec.name](i) for i in range(count)]
        elif np.ndim(given[spec.name]) == spec.shape.rank:
            rows = given[spec.name][:count]
        else:
            rows = [given[spec.name]] * count
        found[spec.name] = np.asarray(rows, spec.dtype.as_numpy_dtype)
    return found


def alone(endpoint: Endpoint, request: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the library answers to each row by itself, [rows, ...].

    Args:
        endpoint: the library's.
        request: rows by name.
    """
    answer, found = endpoint.traced(), []
    for i in range(len(next(iter(request.values())))):
        inputs = {"count": tf.constant(1)}
        for spec in endpoint.signature:
            if spec.name in request:
                batched = spec.shape.rank and spec.shape[0] is None
                inputs[spec.name] = tf.constant(
                    request[spec.name][i : i + 1] if batched else request[spec.name][i]
                )
        found.append(answer(**inputs))
    return {name: np.concatenate([row[name] for row in found]) for name in found[0]}
