"""Checks of requests inside the graph, and of its answers.

A server feeds whatever tensors it gets and hands the graph's error back: nothing else stands before
the model. A refusal is INVALID_ARGUMENT, names the input and says what was expected.
"""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from export.saved_model import limits
from export.saved_model.limits import Limits
from export.saved_model.rows import RowEndpoint
from tfgen.models.conditions import Check
from tfgen.models.inputs import Input

FINITE = Check("finite numbers", tf.math.is_finite)
ALIKE = Check("the same in every row", lambda rows: rows == rows[:1])

SHOWN = 8
"""Numbers of a shape that a refusal shows at most."""

END = -1
"""What stands for the sides that a shape does not have."""

Tensors = Mapping[str, tf.Tensor]


def checked(endpoint: RowEndpoint, bounds: Limits | None = None) -> RowEndpoint:
    """Returns an endpoint that refuses requests that it cannot answer.

    Args:
        endpoint: its inputs declare the conditions.
        bounds: the largest request; by default, rows and counts alone are bounded.
    """
    most = Limits(steps=tf.int32.max, side=tf.int32.max) if bounds is None else bounds

    def answer(**given):
        # without a placeholder the optimizer believes the signature and drops tests of shapes
        found = {name: _of_unknown_shape(value) for name, value in given.items()}
        # one after the other: a wrong shape would fail within a test of numbers, without its name
        for tests in (_shapes, _sides, _rows, _numbers):
            with tf.control_dependencies(tests(endpoint, found, most)):
                found = {name: tf.identity(value) for name, value in found.items()}
        inputs = {known.name: known for known in endpoint.inputs}
        sure = {name: tf.ensure_shape(found[name], inputs[name].row_spec.shape) for name in inputs}
        return _finite(endpoint.fn(**sure))

    return dataclasses.replace(endpoint, fn=answer)


def rules(known: Input, bounds: Limits) -> list[Check]:
    """Returns the conditions on the numbers of an input.

    Args:
        known: the input.
        bounds: the largest request.
    """
    found = [FINITE] if known.dtype.is_floating else []
    declared = (known.check, known.request_check)
    found += [check for check in declared if check is not None]
    found += limits.on_numbers(known, bounds)
    return found if known.per_row else [*found, ALIKE]


def _of_unknown_shape(value: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))


def _shapes(endpoint: RowEndpoint, found: Tensors, bounds: Limits) -> list[tf.Operation]:
    del bounds
    return [_shape(known, found[known.name]) for known in endpoint.inputs]


def _shape(known: Input, value: tf.Tensor) -> tf.Operation:
    """Returns a test for rows of the right shape."""
    sides = [*known.row_spec.shape, END]
    # what is beyond the value's rank is END; tf.rank would be folded to what the signature says
    found = tf.concat([tf.shape(value), tf.fill([len(sides)], END)], axis=0)[: len(sides)]
    free = [side is None for side in sides]
    right = tf.where(free, found >= 0, found == [side or 0 for side in sides])
    words = ", ".join("any" if side is None else str(side) for side in sides[:-1])
    return _test(tf.reduce_all(right), known.name, f"the shape [{words}]", tf.shape(value))


def _sides(endpoint: RowEndpoint, found: Tensors, bounds: Limits) -> list[tf.Operation]:
    """Returns tests that sides that are free are neither too short nor too long."""
    tests = []
    for known in endpoint.inputs:
        free = [axis for axis, side in enumerate(known.shape, 1) if side is None]
        for rule in limits.on_sides(known, bounds):
            sides = tf.gather(tf.shape(found[known.name]), free)
            tests.append(_passed(rule, known.name, sides))
    return tests


def _rows(endpoint: RowEndpoint, found: Tensors, bounds: Limits) -> list[tf.Operation]:
    """Returns tests that all inputs have the same number of rows, neither 0 nor too many."""
    first, *others = (known.name for known in endpoint.inputs)
    count = tf.shape(found[first])[0]
    tests = [_passed(rule, first, count) for rule in limits.on_rows(bounds)]
    for name in others:
        own = tf.shape(found[name])[0]
        words = f"as many rows as of the first input, {first},"
        tests.append(_test(own == count, name, words, own))
    return tests


def _numbers(endpoint: RowEndpoint, found: Tensors, bounds: Limits) -> list[tf.Operation]:
    return [
        _passed(rule, known.name, found[known.name])
        for known in endpoint.inputs
        for rule in rules(known, bounds)
    ]


def _passed(rule: Check, name: str, value: tf.Tensor) -> tf.Operation:
    """Returns a test of numbers, which names the first that fails."""
    passed = tf.reshape(rule.test(value), [-1])
    failed = tf.boolean_mask(tf.reshape(value, [-1]), ~passed)[:1]
    return _test(tf.reduce_all(passed), name, rule.words, failed)


def _test(passed: tf.Tensor, name: str, words: str, found: tf.Tensor) -> tf.Operation:
    said = [f"{name}: expected {words} and found", found]
    return tf.debugging.Assert(passed, said, summarize=SHOWN)


def _finite(answer: Tensors) -> dict[str, tf.Tensor]:
    """Returns an answer, of which all numbers are sure to be finite."""
    found = dict(answer)
    for name, value in answer.items():
        if value.dtype.is_floating:
            words = "an answer of finite numbers, which these inputs do not give,"
            rule = Check(words, tf.math.is_finite)
            with tf.control_dependencies([_passed(rule, name, value)]):
                found[name] = tf.identity(value)
    return found
