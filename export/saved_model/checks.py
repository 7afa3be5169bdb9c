"""Checks of what a server is given, inside the graph: INVALID_ARGUMENT names the input and says what was expected.

A server feeds whatever tensors it gets, and hands the graph's error back; nothing else stands before the model.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfgen.types import Endpoint


class Rule(NamedTuple):
    """What the numbers of an input must be, in words and as a test of each."""

    words: str
    test: Callable[[tf.Tensor], tf.Tensor]


RULES = {
    "mask": Rule(
        "0 where a pixel is missing and 1 where it is known", lambda mask: (mask == 0) | (mask == 1)
    ),
    "num_steps": Rule("numbers that are not negative", lambda steps: steps >= 0),
    "count": Rule("positive numbers", lambda count: count > 0),
    "size": Rule("positive numbers", lambda size: size > 0),
    "stage": Rule("numbers that are not negative", lambda stage: stage >= 0),
    "index": Rule("numbers that are not negative", lambda index: index >= 0),
    "gamma": Rule("numbers from 0 to 1", lambda gamma: (gamma >= 0) & (gamma <= 1)),
}
"""By name of the input; all floats must be finite besides."""

ALIKE = ("count", "size", "stage", "gamma", "spherical")
"""Inputs that must be the same in all rows."""


def checked(endpoint: Endpoint, num_classes: int = 1) -> Endpoint:
    """An endpoint that refuses what it cannot answer.

    Args:
        endpoint: whose inputs have the same leading dimension.
        num_classes: what an input `label` is below.
    """

    def answer(*given):
        # behind a placeholder, or the optimizer believes the signature and drops the tests of shapes
        given = [
            tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))
            for value in given
        ]
        tests = []
        for spec, value in zip(endpoint.signature, given, strict=True):
            tests += [
                _shape(spec, value),
                _rows(spec, value, given[0]),
                *_numbers(spec, value, num_classes),
            ]
        with tf.control_dependencies(tests):
            return endpoint.fn(
                *(
                    tf.ensure_shape(tf.identity(v), s.shape)
                    for s, v in zip(endpoint.signature, given, strict=True)
                )
            )

    return Endpoint(answer, endpoint.signature)


def _shape(spec: tf.TensorSpec, value: tf.Tensor) -> tf.Operation:
    """At least one row of the right shape."""
    rank = spec.shape.rank
    free = [side is None for side in spec.shape]
    found = tf.concat([tf.shape(value), tf.zeros([rank], tf.int32)], axis=0)[:rank]
    right = tf.where(free, found > 0, found == [side or 0 for side in spec.shape])
    words = ", ".join("any" if side is None else str(side) for side in spec.shape)
    return _check(
        (tf.rank(value) == rank) & tf.reduce_all(right),
        spec,
        f"the shape [{words}]",
        tf.shape(value),
    )


def _rows(spec: tf.TensorSpec, value: tf.Tensor, first: tf.Tensor) -> tf.Operation:
    same = tf.reduce_all(tf.shape(value)[:1] == tf.shape(first)[:1])
    return _check(same, spec, "as many rows as of the first input", tf.shape(value))


def _numbers(spec: tf.TensorSpec, value: tf.Tensor, num_classes: int) -> list[tf.Operation]:
    """What is asked of the numbers of an input."""
    rules = [Rule("finite numbers", tf.math.is_finite)] if spec.dtype.is_floating else []
    if spec.name == "label":
        rules.append(
            Rule(
                f"classes from 0 to {num_classes - 1}",
                lambda label: (label >= 0) & (label < num_classes),
            )
        )
    if spec.name in RULES:
        rules.append(RULES[spec.name])
    if spec.name in ALIKE:
        rules.append(Rule("the same in every row", lambda rows: rows == rows[:1]))
    return [_check(tf.reduce_all(rule.test(value)), spec, rule.words, value) for rule in rules]


def _check(right: tf.Tensor, spec: tf.TensorSpec, words: str, found: tf.Tensor) -> tf.Operation:
    return tf.debugging.Assert(right, [f"{spec.name}: expected {words} and found", found])
