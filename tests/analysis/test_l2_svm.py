"""Linear L2-SVMs against scikit-learn's."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tfgen.analysis import l2_svm

COSTS = (1e-3, 1e-1, 10.0)


def classes(count, dim, seed=0):
    """Four classes that overlap, each with a coordinate of its own, far from the origin."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, count)
    features = rng.standard_normal((count, dim)) + 0.5
    features[np.arange(count), label] += 1
    return features, label


@pytest.mark.parametrize(
    "count, dim", [(150, 20), (60, 100)], ids=["more examples", "more features"]
)
def test_machines_are_those_of_scikit_learn(count, dim):
    """Both to the minimum of one convex problem: its curvature is at least 1, and liblinear stops 1e-10 from it."""
    features, label = classes(count, dim)
    found = l2_svm.fit(np.pad(features, ((0, 0), (0, 1)), constant_values=1), label, 4, COSTS)
    for machines, cost in zip(found, COSTS, strict=True):
        theirs = LinearSVC(C=cost, tol=1e-10, max_iter=10**6).fit(features, label)
        np.testing.assert_allclose(machines, np.c_[theirs.coef_, theirs.intercept_].T, atol=1e-5)


def test_single_precision_costs_no_more_than_its_rounding():
    features, label = classes(100, 300)
    single, double = (
        l2_svm.fit(features.astype(kind), label, 4, [0.1])[0] for kind in ("float32", "float64")
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_a_class_without_examples_is_never_guessed():
    features, label = classes(80, 10)
    machines = l2_svm.fit(np.pad(features, ((0, 0), (0, 1)), constant_values=1), label, 5, [1.0])[0]
    guesses = np.argmax(np.pad(features, ((0, 0), (0, 1)), constant_values=1) @ machines, axis=1)
    assert guesses.max() < 4
