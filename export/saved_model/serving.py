"""Endpoints as servers want them: each input has a row for each example, and is checked inside the graph.

A request in the REST API's row format is a list of examples, so whatever an endpoint takes must have one leading
dimension. Seeds and numbers of steps are each row's own: a row is answered as it would be alone, whoever else asks.
Other numbers, such as a size, must be the same in all rows. What needs no example is made as often as there are rows.
"""

from collections.abc import Callable

import tensorflow as tf

from export.saved_model import checks, png
from tfgen.training.algorithm import Algorithm
from tfgen.types import Endpoint

OWN = ("seed", "num_steps")
"""Inputs without examples that may differ from row to row."""


def endpoints(algorithm: Algorithm) -> dict[str, Endpoint]:
    """What a server publishes of an algorithm: its endpoints by row, and some of them in bytes of PNG files.

    Args:
        algorithm: trained.

    Returns:
        By name; the default first.
    """
    found = algorithm.endpoints()
    rows = {
        name: by_row(found[name]) for name in sorted(found, key=lambda name: name != "complete")
    }
    rows |= png.endpoints(rows, algorithm.image_shape[-1])
    num_classes = getattr(algorithm, "num_classes", 1)
    return {name: checks.checked(endpoint, num_classes) for name, endpoint in rows.items()}


def by_row(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose inputs and outputs have the same leading dimension.

    Args:
        endpoint: the library's. An input that has no batch dimension gets one; `count`, where there is nothing else to
            count, is the number of rows; an endpoint without inputs gets the `index` of each row that it gives.
    """
    if not endpoint.signature:
        return Endpoint(_gathered(endpoint), [tf.TensorSpec((None,), tf.int32, "index")])
    counted = "count" in endpoint.inputs and not any(map(_batched, endpoint.signature))
    signature = [spec if _batched(spec) else _several(spec) for spec in endpoint.signature]
    signature = [spec for spec in signature if not (counted and spec.name == "count")]

    def answer(*rows):
        given = {spec.name: value for spec, value in zip(signature, rows, strict=True)} | (
            {"count": tf.shape(rows[0])} if counted else {}
        )
        one = (
            spec.name for spec in endpoint.signature if not _batched(spec) and spec.name not in OWN
        )
        given |= {name: given[name][0] for name in one}
        return endpoint.fn(*(given[name] for name in endpoint.inputs))

    return Endpoint(answer, signature)


def _gathered(endpoint: Endpoint) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """Some rows of what an endpoint gives."""

    def answer(index):
        found = endpoint.fn()
        count = tf.shape(next(iter(found.values())))[0]
        words = tf.strings.format("index: expected numbers below {} and found", count)
        with tf.control_dependencies(
            [tf.debugging.Assert(tf.reduce_all(index < count), [words, index])]
        ):
            return {name: tf.gather(value, index) for name, value in found.items()}

    return answer


def _batched(spec: tf.TensorSpec) -> bool:
    return spec.shape.rank > 0 and spec.shape[0] is None


def _several(spec: tf.TensorSpec) -> tf.TensorSpec:
    return tf.TensorSpec((None, *spec.shape), spec.dtype, spec.name)
