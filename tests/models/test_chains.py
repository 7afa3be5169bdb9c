"""Persistent chains on one replica; tests/algorithms/test_replicas.py has two."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.models.chains import Chains


def test_chains_begin_at_their_start():
    np.testing.assert_array_equal(
        Chains(3, (2, 2, 1), 0.5).take(), np.full((3, 2, 2, 1), 0.5, np.float32)
    )


def test_a_start_is_broadcast_over_pixels():
    chains = Chains(2, (2, 2, 3), np.array([0.1, 0.2, 0.3]))
    np.testing.assert_array_equal(chains.take()[1, 1, 0], np.float32([0.1, 0.2, 0.3]))


def test_what_was_put_is_taken_in_the_same_order():
    chains = Chains(4, (1, 1, 2))
    x = tf.reshape(tf.range(8.0), [4, 1, 1, 2])
    chains.put(x)
    np.testing.assert_array_equal(chains.take(), x)
    np.testing.assert_array_equal(chains.index(), [0, 1, 2, 3])


def test_restarted_chains_are_where_they_began():
    chains = Chains(2, (1, 1, 2), np.array([0.25, -0.25]))
    chains.put(tf.ones([2, 1, 1, 2]))
    chains.restart()
    np.testing.assert_array_equal(
        chains.take(), Chains(2, (1, 1, 2), np.array([0.25, -0.25])).take()
    )


def test_chains_are_weights_that_no_optimizer_trains():
    chains = Chains(2, (1, 1, 2))
    assert [tuple(w.shape) for w in chains.weights] == [(2, 1, 1, 2)]
    assert chains.trainable_variables == []


def test_a_start_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        Chains(2, (1, 1, 2), np.zeros(3))
