"""Single linkage by barriers, basins, purity and the graph's lines: small cases, brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen.analysis.landscape import graph, tree

ENERGY = np.array([-5.0, -4.0, -3.0, -1.0])
PAIRS = np.array([[0, 1], [1, 2], [2, 3], [0, 3]])
BARRIER = np.array([-3.5, -1.0, -0.5, 2.0])


def worst_on_best_way(count, pairs, barrier):
    """Computes the lowest barrier between any two minima by Floyd and Warshall's algorithm."""
    heights = np.full((count, count), np.inf)
    np.fill_diagonal(heights, -np.inf)
    for (a, b), height in zip(pairs, barrier, strict=True):
        heights[a, b] = heights[b, a] = min(heights[a, b], height)
    for k in range(count):
        through = np.maximum(heights[:, [k]], heights[[k]])
        heights = np.minimum(heights, through)
    np.fill_diagonal(heights, -np.inf)
    return heights


def test_groups_are_joined_from_the_lowest_barrier_up():
    nodes = tree.joined(ENERGY, PAIRS, BARRIER)
    assert [node.height for node in nodes] == [-3.5, -1.0, -0.5]
    assert {nodes[0].first, nodes[0].second} == {0, 1}


def test_basins_are_deeper_than_a_threshold():
    """Minimum 0 is the deepest; 1, 2 and 3 lie 0.5, 2 and 0.5 below their ways out."""
    nodes = tree.joined(ENERGY, PAIRS, BARRIER)
    every = tree.basins(ENERGY, nodes, 0.0)
    np.testing.assert_allclose(every.depth, [np.inf, 0.5, 2.0, 0.5])
    some = tree.basins(ENERGY, nodes, 1.0)
    np.testing.assert_array_equal(some.number, [0, 0, 1, 0])
    np.testing.assert_array_equal(some.deepest, [0, 2])
    assert len(tree.basins(ENERGY, nodes, 3.0).deepest) == 1


def test_the_tree_of_basins_has_their_barriers():
    nodes = tree.joined(ENERGY, PAIRS, BARRIER)
    (only,) = tree.simplified(ENERGY, nodes, tree.basins(ENERGY, nodes, 1.0))
    assert only == (0, 1, -1.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_the_tree_holds_the_lowest_barrier_between_any_two_minima(count, seed):
    rng = np.random.default_rng(seed)
    energy, image = rng.normal(size=count), rng.normal(size=(count, 3))
    pairs = tree.candidates(image, neighbours=2)
    barrier = energy[pairs].max(axis=1) + rng.exponential(size=len(pairs))
    found = tree.minimax(count, tree.joined(energy, pairs, barrier))
    np.testing.assert_allclose(found, worst_on_best_way(count, pairs, barrier), rtol=1e-9)
    alone = tree.spanning(count, pairs, barrier)
    assert alone.sum() == count - 1
    np.testing.assert_allclose(
        found, worst_on_best_way(count, pairs[alone], barrier[alone]), rtol=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_each_basin_is_at_least_as_deep_as_asked(count, seed, least):
    rng = np.random.default_rng(seed)
    energy, pairs = rng.normal(size=count), np.array(list(itertools.combinations(range(count), 2)))
    barrier = energy[pairs].max(axis=1) + rng.exponential(size=len(pairs))
    nodes = tree.joined(energy, pairs, barrier)
    found, heights = tree.basins(energy, nodes, least), tree.minimax(count, nodes)
    assert found.depth[0] == np.inf and np.all(found.depth >= least)
    assert set(found.number) == set(range(len(found.deepest)))
    np.testing.assert_array_equal(found.number[found.deepest], np.arange(len(found.deepest)))
    for k, bottom in enumerate(found.deepest[1:], 1):  # the first way to something deeper
        deeper = energy < energy[bottom]
        assert found.depth[k] == pytest.approx(heights[bottom][deeper].min() - energy[bottom])


@pytest.mark.parametrize("parts", [1, 3])
def test_candidates_connect_clusters_that_are_far_apart(parts):
    rng = np.random.default_rng(0)
    image = np.concatenate([100 * part + rng.normal(size=(10, 4)) for part in range(parts)])
    pairs = tree.candidates(image, neighbours=3)
    assert np.isfinite(worst_on_best_way(len(image), pairs, np.zeros(len(pairs)))).sum() == len(
        image
    ) * (len(image) - 1)
    assert np.all(pairs[:, 0] < pairs[:, 1])
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_purity_counts_the_most_frequent_class_of_each_group():
    group, label = np.array([0, 0, 0, 1, 2]), np.array([1, 1, 2, 0, 2])
    assert tree.purity(group, label) == pytest.approx(4 / 5)
    assert tree.purity(group, label, least_size=2) == pytest.approx(2 / 3)
    assert np.isnan(tree.purity(np.arange(3), np.arange(3), least_size=2))


def test_agreement_asks_the_minimum_behind_the_lowest_barrier():
    """The lowest barriers join 0 and 1, of one class; 2 to 1, of another; 3 to 2, of its own."""
    found = tree.agreement(np.arange(4), np.array([7, 7, 3, 3]), PAIRS, BARRIER)
    assert found == pytest.approx(3 / 4)


def test_the_graph_hangs_leaves_at_their_energies_and_joins_them_at_their_barriers():
    nodes = tree.joined(ENERGY, PAIRS, BARRIER)
    lines = graph.layout(ENERGY, nodes)
    assert sorted(lines.place) == [0, 1, 2, 3]
    np.testing.assert_array_equal(lines.upright[:4, 0], lines.place)
    np.testing.assert_array_equal(lines.upright[:4, 1], ENERGY)
    np.testing.assert_array_equal(lines.upright[:4, 2], [-3.5, -3.5, -1.0, -0.5])
    np.testing.assert_array_equal(lines.level[:, 2], [-3.5, -1.0, -0.5])


def test_a_landscape_of_one_minimum_is_one_leaf():
    assert tree.candidates(np.zeros((1, 2, 2, 1)), 5).shape == (0, 2)
    assert tree.joined(np.zeros(1), np.empty((0, 2), int), np.empty(0)) == []
    basins = tree.basins(np.zeros(1), [], 1.0)
    assert basins.deepest.tolist() == [0]
    assert graph.layout(np.zeros(1), []).place.tolist() == [0]
