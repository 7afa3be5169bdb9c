"""Minima, barriers and tree of a mixture of Gaussians, whose minima and saddles are known."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize, special

from tfgen.analysis.landscape import Survey, barriers, minima, tree
from tfgen.analysis.landscape.elastic_band import ElasticBand
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.data.toy import Mixture
from tfgen.samplers import Descent

MIXTURE = Mixture(components=4, radius=0.5, scale=0.25)


def energy(point):
    """Computes the mixture's energy at a point (u, v), in double precision."""
    squared = ((point - MIXTURE.means) ** 2).sum(axis=1)
    weight = 2 * np.pi * MIXTURE.scale**2 * MIXTURE.components
    return np.log(weight) - np.log(np.exp(-squared / (2 * MIXTURE.scale**2)).sum())


def stationary(guess):
    """Returns the stationary point near a guess."""

    def slope(point):
        apart = point - MIXTURE.means
        return special.softmax(-(apart**2).sum(axis=1) / (2 * MIXTURE.scale**2)) @ apart

    return optimize.root(slope, guess, tol=1e-10).x


@pytest.fixture(scope="module")
def found():
    """The landscape."""
    survey = Survey(step_size=0.03, tolerance=1e-4, neighbours=3, band_steps=300, points=11)
    return survey.run(MIXTURE.energy, MIXTURE.sample(200, seed=0), MinibatchMap(size=100))


def test_the_minima_of_a_mixture_are_found(found):
    """There are four, each within 1e-3 of the truth, and every start descends to one."""
    wanted = np.array([stationary(mean) for mean in MIXTURE.means])
    points = found.minima.image.reshape(-1, 2)
    distance = np.linalg.norm(points[:, None] - wanted, axis=2)
    assert points.shape == (4, 2)
    assert distance.min(axis=0).max() < 1e-3
    np.testing.assert_allclose(found.minima.energy, energy(wanted[0]), atol=1e-3)
    assert set(found.minima.member) == {0, 1, 2, 3}


def test_the_barriers_of_a_mixture_are_its_saddles(found):
    """The straight line between minima that face each other crosses the maximum in the middle."""
    saddle, top = energy(stationary(MIXTURE.means[:2].mean(axis=0))), energy(np.zeros(2))
    assert found.bent.all()
    np.testing.assert_allclose(found.barrier, saddle, atol=1e-3)
    facing = np.isclose(found.straight, top, atol=1e-3)
    assert facing.sum() == 2
    assert top - saddle > 0.3


def test_the_tree_of_a_mixture_joins_all_at_the_saddle(found):
    saddle = energy(stationary(MIXTURE.means[:2].mean(axis=0)))
    np.testing.assert_allclose([node.height for node in found.nodes], saddle, atol=1e-3)
    depth = saddle - energy(stationary(MIXTURE.means[0]))
    assert len(tree.basins(found.minima.energy, found.nodes, 0.9 * depth).deepest) == 4
    assert len(tree.basins(found.minima.energy, found.nodes, 1.1 * depth).deepest) == 1


def test_descents_that_end_near_each_other_give_one_minimum_the_deepest():
    """Without steps the starts are the ends: two points 0.01 apart, and a third."""
    start = np.float32([[0.5, 0.0], [0.51, 0.0], [-0.3, 0.2]]).reshape(-1, 1, 1, 2)
    kernel = Descent(0.01)
    found = minima.find(
        MIXTURE.energy, start, kernel=kernel, num_steps=0, radius=0.02, minibatches=MinibatchMap()
    )
    assert len(found.energy) == 2
    assert found.member[0] == found.member[1] != found.member[2]
    np.testing.assert_allclose(found.energy, np.sort(found.energy))
    best = min(energy(p.ravel()) for p in start[:2])
    assert found.energy.min() == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("steps", [5, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 40))])
def test_a_relaxed_path_is_never_above_the_straight_line(steps):
    rng = np.random.default_rng(steps)
    first, second = (rng.uniform(-1, 1, (20, 1, 1, 2)).astype(np.float32) for _ in range(2))
    kernel = ElasticBand(0.03, sliding_steps=steps)
    work = MinibatchMap(size=50)
    paths = barriers.bent(
        MIXTURE.energy,
        first,
        second,
        kernel=kernel,
        num_steps=steps,
        beads=9,
        minibatches=work,
        between=4,
    )
    straight = barriers.straight(MIXTURE.energy, first, second, points=33, minibatches=work)
    assert np.all(paths.barrier <= straight + 1e-5)
    if steps == 0:
        np.testing.assert_allclose(paths.barrier, straight, atol=1e-5)
    np.testing.assert_array_equal(paths.beads[:, 0], first)
    np.testing.assert_array_equal(paths.beads[:, -1], second)


def test_descents_and_bands_stay_within_their_bounds():
    """An energy that falls towards a corner of the box: descents stop in the corner."""

    def slope(x):
        return -tf.reduce_sum(x, axis=[1, 2, 3])

    start = np.float32([[0.2, -0.4]]).reshape(1, 1, 1, 2)
    kernel = Descent(0.1, tolerance=1e-3, bounds=(-1.0, 1.0))
    found = minima.find(
        slope, start, kernel=kernel, num_steps=100, radius=0.01, minibatches=MinibatchMap()
    )
    np.testing.assert_array_equal(found.image.ravel(), [1.0, 1.0])
    assert found.grad_norm[0] <= 1e-3
    band = ElasticBand(0.5, sliding_steps=20, bounds=(-1.0, 1.0))
    paths = barriers.bent(
        slope, start, -start, kernel=band, num_steps=20, beads=5, minibatches=MinibatchMap()
    )
    assert np.abs(paths.beads).max() <= 1


def test_a_map_by_minibatches_equals_the_map_of_all_rows_and_reports_progress():
    """70 rows, 32 at a time: the last minibatch is filled up."""
    reports = []
    rows = np.arange(70, dtype=np.float32)
    work = MinibatchMap(size=32, progress=lambda *report: reports.append(report))
    doubled, squared = work.map("rows", lambda x: (2 * x, x**2), rows)
    np.testing.assert_array_equal(doubled, 2 * rows)
    np.testing.assert_array_equal(squared, rows**2)
    assert reports == [("rows", 32, 70), ("rows", 64, 70), ("rows", 70, 70)]
