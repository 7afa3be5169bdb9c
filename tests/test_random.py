"""Stateless draws: seeds are values, and a stream of shuffled epochs needs no memory."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfgen import random
from tfgen.types import Noise

SEEDS = st.integers(-(2**31), 2**31 - 1)


def order(start, stop, size, seed=0):
    """The stream from one position to another."""
    return random.shuffled(tf.range(start, stop, dtype=tf.int64), size, random.root(seed)).numpy()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(size=st.integers(1, 70), epoch=st.integers(0, 1000), seed=SEEDS)
def test_each_epoch_is_a_permutation(size, epoch, seed):
    indices = order(epoch * size, (epoch + 1) * size, size, seed)
    np.testing.assert_array_equal(np.sort(indices), np.arange(size))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(size=st.integers(1, 70), start=st.integers(0, 500), cut=st.integers(0, 100), seed=SEEDS)
def test_a_stream_restarted_anywhere_goes_on_as_if_it_had_not_stopped(size, start, cut, seed):
    whole = order(start, start + 100, size, seed)
    np.testing.assert_array_equal(whole[cut:], order(start + cut, start + 100, size, seed))


def test_epochs_differ_from_each_other():
    """Two of ten permutations of 20 agree by chance with a probability of 45 / 20! < 2e-17."""
    epochs = {tuple(order(e * 20, (e + 1) * 20, 20)) for e in range(10)}
    assert len(epochs) == 10


def test_orders_differ_between_seeds():
    """Ten permutations as above."""
    assert len({tuple(order(0, 20, 20, seed)) for seed in range(10)}) == 10


def test_the_same_seed_draws_the_same_numbers_and_another_does_not():
    seed = random.root(1)
    np.testing.assert_array_equal(random.normal([10], seed), random.normal([10], random.root(1)))
    assert not np.any(
        random.normal([10], seed).numpy() == random.normal([10], random.root(2)).numpy()
    )


def test_seeds_folded_with_different_integers_differ():
    root = random.root(0)
    once = tf.function(lambda i: random.fold_in(root, i), autograph=False)
    twice = tf.function(lambda i: random.fold_in(random.fold_in(root, i), 0), autograph=False)
    seeds = {tuple(fold(tf.constant(i)).numpy()) for fold in (once, twice) for i in range(-1, 1000)}
    assert len(seeds) == 2002


def test_split_gives_different_seeds():
    seeds = {tuple(s.numpy()) for s in random.split(random.root(3), 5)}
    assert len(seeds) == 5


def test_fold_in_inside_a_function_equals_fold_in_outside():
    traced = tf.function(lambda step: random.fold_in(random.root(4), step), autograph=False)
    np.testing.assert_array_equal(traced(tf.constant(7)), random.fold_in(random.root(4), 7))


def test_normal_draws_are_standard_normal():
    """Kolmogorov and Smirnov's test of 10,000 draws; fails with probability 1e-6."""
    assert stats.kstest(random.normal([10_000], random.root(0)).numpy(), "norm").pvalue > 1e-6


def test_uniform_integers_stay_inside_their_interval_and_reach_its_ends():
    """Each of 5 values is missing from 1,000 draws with a probability of 0.8^1000 < 1e-96."""
    drawn = random.uniform([1000], random.root(0), 2, 7, tf.int32).numpy()
    assert set(drawn) == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("shape", [(7,), (3, 5), (20, 16, 16, 3)])
def test_a_seed_draws_the_same_numbers_under_xla(shape):
    """The seed is an input, as in training: draws from constants are made before XLA sees them."""

    def draw(seed):
        seed = random.fold_in(random.split(seed)[1], 7)
        uniform, integers = (
            random.uniform(shape, seed, -2.0, 3.0),
            random.uniform(shape, seed, 0, 10, tf.int32),
        )
        return seed, random.normal(shape, seed), uniform, integers

    def by_xla(seed):
        with random.compiled():
            return draw(seed)

    found = tf.function(by_xla, jit_compile=True, autograph=False)(random.root(3))
    for plain, compiled in zip(draw(random.root(3)), found, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-4, atol=1e-5)


def test_several_seeds_draw_under_xla_what_they_draw_without():
    def draw(seeds):
        with random.compiled():
            return random.normal((6, 3), seeds)

    seeds = tf.constant([[1, 2], [3, 4]])
    found = tf.function(draw, jit_compile=True, autograph=False)(seeds)
    np.testing.assert_allclose(random.normal((6, 3), seeds), found, rtol=1e-4, atol=1e-5)


def test_each_of_several_seeds_draws_its_share_as_it_would_alone():
    several = tf.constant([[1, 2], [3, 4], [5, 6]])
    both = random.normal((6, 4), several), random.uniform((6, 4), several, 0, 1000, tf.int32)
    for i, seed in enumerate(several):
        alone = random.normal((2, 4), seed), random.uniform((2, 4), seed, 0, 1000, tf.int32)
        for share, expected in zip(both, alone, strict=True):
            np.testing.assert_array_equal(share[2 * i : 2 * i + 2], expected)


def test_several_seeds_are_folded_and_split_one_by_one():
    several = tf.constant([[1, 2], [3, 4]])
    for i, seed in enumerate(several):
        np.testing.assert_array_equal(random.fold_in(several, 7)[i], random.fold_in(seed, 7))
        for found, expected in zip(random.split(several), random.split(seed), strict=True):
            np.testing.assert_array_equal(found[i], expected)


def test_no_seeds_draw_nothing():
    assert random.normal((0, 4), tf.zeros((0, 2), tf.int32)).shape == (0, 4)


def test_given_noise_stands_in_for_a_seed():
    """Its i-th value where a seed would be folded with i, its first and the rest where split."""
    values = tf.reshape(tf.range(24.0), [4, 2, 3])
    folded = random.normal((2, 3), random.fold_in(Noise(values), 2))
    np.testing.assert_array_equal(folded, values[2])
    first, rest = random.split(Noise(values))
    np.testing.assert_array_equal(random.normal((2, 3), first), values[0])
    np.testing.assert_array_equal(random.normal((2, 3), random.fold_in(rest, 0)), values[1])
