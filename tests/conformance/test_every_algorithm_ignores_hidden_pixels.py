"""Every algorithm that learns from incomplete images ignores what stands at missing pixels."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from support import registry

from tfgen import random


@functools.cache
def after(name, at_hidden, at_known=0.0):
    """Returns all numbers of an algorithm, its logs and its pictures.

    They are those after two updates with changed pixels.
    """
    algorithm, batch = registry.build(name), registry.batch(name, incomplete=True)
    batch["image"] += tf.where(batch["mask"] == 0, at_hidden, at_known)
    for step in range(2):  # the second one meets what the first one made of the missing pixels
        logs = algorithm.update(batch, random.root(step))
    return [*algorithm.get_weights(), *logs.values(), *algorithm.pictures(batch).values()]


def same(*ends):
    """Returns whether two results agree bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("name", registry.INCOMPLETE)
def test_every_algorithm_ignores_hidden_pixels(name):
    assert same(after(name, 0.0), after(name, 0.7))


@pytest.mark.parametrize("name", registry.INCOMPLETE)
def test_known_pixels_are_not_ignored(name):
    """The test above can fail."""
    assert not same(after(name, 0.0), after(name, 0.0, 0.5))
