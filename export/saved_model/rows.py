"""Endpoints by row: each input and each output has one row for each example.

A request in the REST API's row format is a list of examples, so all inputs of an endpoint must
have the same leading dimension. A row is answered as it would be alone, whoever else asks.
"""

import dataclasses
import functools
import inspect

import tensorflow as tf
from tensorflow.types.experimental import PolymorphicFunction

from tfgen.models import Endpoint, inputs
from tfgen.models.inputs import Input

COUNT = "count"
"""The input for the number of examples; in a request it is the number of rows."""


@dataclasses.dataclass(frozen=True)
class RowEndpoint(Endpoint):
    """An endpoint whose inputs are all batched."""

    @functools.cached_property
    def graph(self) -> PolymorphicFunction:
        """The endpoint as one graph for any number of rows, traced when it is first needed.

        It takes the inputs by name or in their order.
        """
        names = self.input_names

        def answer(*values):
            return self.fn(**dict(zip(names, values, strict=True)))

        # TensorFlow reads the names of parameters off the signature
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
        answer.__signature__ = signature  # type: ignore[attr-defined]
        specs = [known.row_spec for known in self.inputs]
        return tf.function(answer, input_signature=specs, autograph=False)


def by_row(endpoint: Endpoint) -> RowEndpoint:
    """Returns an endpoint whose inputs and outputs have the same leading dimension.

    Args:
        endpoint: of a model. An input that has no batch axis gets one. Where nothing has one,
            `count` becomes the number of rows. An endpoint without inputs gets `index`: which of
            its answers each row is.
    """
    if not endpoint.inputs:
        return _chosen(endpoint)
    counted = not any(known.batched for known in endpoint.inputs)
    left = [known for known in endpoint.inputs if not (counted and known.name == COUNT)]
    rows = tuple(_as_row(known) for known in left or [inputs.index()])

    def answer(**given):
        own = {known.name: _of_method(known, given[known.name]) for known in left}
        if counted:
            own[COUNT] = tf.shape(given[rows[0].name])[0]
        return endpoint.fn(**own)

    return RowEndpoint(endpoint.name, answer, rows, endpoint.outputs, endpoint.meaning)


def _as_row(known: Input) -> Input:
    return dataclasses.replace(known, batched=True)


def _of_method(known: Input, rows: tf.Tensor) -> tf.Tensor:
    """Returns the value that a model's method takes for the rows of an input."""
    # rows that must not differ have one value, which checks make sure of
    return rows if known.batched or known.per_row else rows[0]


def _chosen(endpoint: Endpoint) -> RowEndpoint:
    """Returns an endpoint that selects rows from the answer of an endpoint without inputs."""

    def answer(index):
        found = endpoint.fn()
        count = tf.shape(next(iter(found.values())))[0]
        words = tf.strings.format("index: expected numbers below {} and found", count)
        below = tf.debugging.Assert(tf.reduce_all(index < count), [words, index])
        with tf.control_dependencies([below]):
            return {name: tf.gather(value, index) for name, value in found.items()}

    known = (_as_row(inputs.index()),)
    return RowEndpoint(endpoint.name, answer, known, endpoint.outputs, endpoint.meaning)
