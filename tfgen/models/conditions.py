"""Conditions on numbers, which inputs of endpoints declare and exports check."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Check(NamedTuple):
    """A condition on the numbers of an input.

    Attributes:
        words: what the numbers must be, to follow "expected".
        test: tells of each number whether it is so.
        low: the least number that passes; None where there is none.
        high: the largest number that passes; None where there is none.
    """

    words: str
    test: Callable[[tf.Tensor], tf.Tensor]
    low: float | None = None
    high: float | None = None


def between(low: float, high: float, words: str) -> Check:
    """Returns the condition that numbers lie between two bounds, which both pass."""
    return Check(words, lambda x: (x >= low) & (x <= high), low, high)


def at_least(low: float, words: str) -> Check:
    """Returns the condition that no number is below a bound."""
    return Check(words, lambda x: x >= low, low=low)


def at_most(high: float, words: str) -> Check:
    """Returns the condition that no number is above a bound."""
    return Check(words, lambda x: x <= high, high=high)
