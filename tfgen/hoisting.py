"""What stays the same while a loop runs, computed once before it.

TensorFlow computes all that stands in a loop's body at every step, even what follows from the weights alone.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import tensorflow as tf


class _Loop(NamedTuple):
    graph: tf.Graph | None
    """What the loop stands in; None where it runs step by step."""
    values: dict[Hashable, Any]


_LOOP: ContextVar[_Loop | None] = ContextVar("loop", default=None)
_WEIGHTS: ContextVar[Hashable] = ContextVar("weights", default=None)


@contextlib.contextmanager
def around_loop() -> Iterator[None]:
    """Around a loop in which no weight changes: `held` computes each value once."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    token = _LOOP.set(_Loop(graph, {}))
    try:
        yield
    finally:
        _LOOP.reset(token)


@contextlib.contextmanager
def of_weights(weights: Hashable) -> Iterator[None]:
    """Around a net's call with weights that are not its own: what is held is theirs.

    Args:
        weights: tells them from others of the loop.
    """
    token = _WEIGHTS.set(weights)
    try:
        yield
    finally:
        _WEIGHTS.reset(token)


def held(key: Hashable, compute: Callable[[], Any]) -> Any:
    """What a function of weights and constants returns, computed before the loop if within one.

    Args:
        key: tells it from all others of the loop.
        compute: the function; must not use what changes from step to step.
    """
    loop = _LOOP.get()
    if loop is None:
        return compute()
    key = (_WEIGHTS.get(), key)
    if key not in loop.values:
        with loop.graph.as_default() if loop.graph else contextlib.nullcontext():
            loop.values[key] = compute()
    return loop.values[key]
