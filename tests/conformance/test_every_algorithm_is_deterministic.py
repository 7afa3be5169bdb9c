"""Every algorithm's update depends on its weights, its batch and its seed alone."""

from unittest import mock

import numpy as np
import pytest
from support import registry

from tfgen import random


def same(ends, others):
    """Returns whether all numbers of two algorithms agree bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(ends, others, strict=True))


@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_is_deterministic(name):
    """Another seed ends elsewhere, if anything is drawn at all.

    A classifier, for example, may draw nothing.
    """
    once, again, batch = registry.updated(name), registry.build(name), registry.batch(name)
    assert same(again.get_weights(), once.before)
    again.update(batch, random.root(0))
    assert same(again.get_weights(), once.after)

    again.set_weights(once.before)
    with (
        mock.patch.object(random, "normal", wraps=random.normal) as normal,
        mock.patch.object(random, "uniform", wraps=random.uniform) as uniform,
    ):
        again.update(batch, random.root(1))
    assert same(again.get_weights(), once.after) != (normal.called or uniform.called)
