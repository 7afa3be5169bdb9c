"""Loop-invariant values, computed once before a loop instead of at every step.

TensorFlow computes all that stands in a loop's body at every step, even what follows from the
weights alone, such as a convolution's transformed kernels.

Two hidden arguments (`ContextVar`s) carry this from a loop to the layers inside it, since the nets
between them are ordinary Keras models whose calls take no such argument:

- the loop that is being traced or run, with the values that were computed for it: set by
  `around_loop`, which `samplers.run` enters;
- which weights a net is called with, where these are not its own: set by `of_weights`, which
  cascades enter, whose classifiers are copies of weights that go through one net.

A context holds for the thread and the `with` block that entered it, and for no other.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import tensorflow as tf


class _Loop(NamedTuple):
    """A loop, and what was computed for it."""

    graph: tf.Graph | None
    """The graph that the loop stands in; None where it runs step by step."""
    values: dict[Hashable, Any]


_LOOP: ContextVar[_Loop | None] = ContextVar("loop", default=None)
_WEIGHTS: ContextVar[Hashable] = ContextVar("weights", default=None)


@contextlib.contextmanager
def around_loop() -> Iterator[None]:
    """Surrounds a loop in which no weight changes, so that `held` computes each value once."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    token = _LOOP.set(_Loop(graph, {}))
    try:
        yield
    finally:
        _LOOP.reset(token)


@contextlib.contextmanager
def of_weights(weights: Hashable) -> Iterator[None]:
    """Surrounds a net's call with weights that are not its own: held values are those of them.

    Args:
        weights: tells these weights from others of the loop.
    """
    token = _WEIGHTS.set(weights)
    try:
        yield
    finally:
        _WEIGHTS.reset(token)


def held(key: Hashable, compute: Callable[[], Any]) -> Any:
    """Returns what a function of weights and constants returns, computed before the present loop.

    Outside of a loop the function is called at once.

    Args:
        key: tells the value from all others of the loop.
        compute: the function; it must not use what changes from step to step.

    Returns:
        What `compute` returned, when it was first asked for in this loop.
    """
    loop = _LOOP.get()
    if loop is None:
        return compute()
    key = (_WEIGHTS.get(), key)
    if key not in loop.values:
        # in the graph around the loop, so that the loop's body takes the value as a constant
        with loop.graph.as_default() if loop.graph else contextlib.nullcontext():
            loop.values[key] = compute()
    return loop.values[key]
