"""Checks of requests inside the graph.

A server feeds whatever tensors it gets and hands the graph's error back: nothing else stands before
the model. A refusal is INVALID_ARGUMENT, names the input and says what was expected.
"""

import dataclasses

import tensorflow as tf

from export.saved_model.rows import RowEndpoint
from tfgen.models.inputs import Check, Input

FINITE = Check("finite numbers", tf.math.is_finite)
ALIKE = Check("the same in every row", lambda rows: rows == rows[:1])


def checked(endpoint: RowEndpoint) -> RowEndpoint:
    """Returns an endpoint that refuses requests that it cannot answer.

    Args:
        endpoint: its inputs declare the conditions.
    """

    def answer(**given):
        # without a placeholder the optimizer believes the signature and drops tests of shapes
        free = {name: _of_unknown_shape(value) for name, value in given.items()}
        first = free[endpoint.inputs[0].name]
        tests = []
        for known in endpoint.inputs:
            value = free[known.name]
            tests += [_shape(known, value), _rows(known, value, first), *_numbers(known, value)]
        with tf.control_dependencies(tests):
            inputs = {known.name: known for known in endpoint.inputs}
            sure = {name: _of_known_shape(inputs[name], free[name]) for name in inputs}
            return endpoint.fn(**sure)

    return dataclasses.replace(endpoint, fn=answer)


def rules(known: Input) -> list[Check]:
    """Returns the conditions on the numbers of an input."""
    found = [FINITE] if known.dtype.is_floating else []
    if known.check is not None:
        found.append(known.check)
    return found if known.per_row else [*found, ALIKE]


def _of_unknown_shape(value: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))


def _of_known_shape(known: Input, value: tf.Tensor) -> tf.Tensor:
    # the identity makes the tests run before whatever uses the value
    return tf.ensure_shape(tf.identity(value), known.row_spec.shape)


def _shape(known: Input, value: tf.Tensor) -> tf.Operation:
    """Returns a test for at least one row of the right shape."""
    sides = known.row_spec.shape
    free = [side is None for side in sides]
    # as many sides as expected, whatever the rank of the value
    found = tf.concat([tf.shape(value), tf.zeros([sides.rank], tf.int32)], axis=0)[: sides.rank]
    right = tf.where(free, found > 0, found == [side or 0 for side in sides])
    words = ", ".join("any" if side is None else str(side) for side in sides)
    passed = (tf.rank(value) == sides.rank) & tf.reduce_all(right)
    return _test(passed, known, f"the shape [{words}]", tf.shape(value))


def _rows(known: Input, value: tf.Tensor, first: tf.Tensor) -> tf.Operation:
    same = tf.reduce_all(tf.shape(value)[:1] == tf.shape(first)[:1])
    return _test(same, known, "as many rows as of the first input", tf.shape(value))


def _numbers(known: Input, value: tf.Tensor) -> list[tf.Operation]:
    return [
        _test(tf.reduce_all(rule.test(value)), known, rule.words, value) for rule in rules(known)
    ]


def _test(passed: tf.Tensor, known: Input, words: str, found: tf.Tensor) -> tf.Operation:
    return tf.debugging.Assert(passed, [f"{known.name}: expected {words} and found", found])
