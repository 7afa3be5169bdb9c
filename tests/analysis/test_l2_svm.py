"""Linear L2-SVMs: the optimum of their objective, and scikit-learn's on the features themselves."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tfgen.analysis import l2_svm

COSTS = (1e-3, 1e-1, 10.0)
MORE_EXAMPLES, MORE_FEATURES = (150, 20), (60, 100)


def classes(count, dim, seed=0):
    """Four classes that overlap, each with a coordinate of its own, far from the origin."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, count)
    features = rng.standard_normal((count, dim)) + 0.5
    features[np.arange(count), label] += 1
    return np.pad(features, ((0, 0), (0, 1)), constant_values=1), label


@pytest.mark.parametrize("count, dim", [MORE_EXAMPLES, MORE_FEATURES])
def test_the_objectives_gradient_is_zero(count, dim):
    """Its norm bounds the distance to the optimum, for the objective is 1-strongly convex.

    Two examples are equal, so that the Gram matrix is singular. At the largest C rounding hides the
    gradient.
    """
    features, label = classes(count, dim)
    features[1] = features[0]
    costs = COSTS[:2]
    found = l2_svm.fit(features, label, 4, costs)
    sign = 2.0 * (label[:, None] == np.arange(4)) - 1
    for weights, cost in zip(found, costs, strict=True):
        shortfall = np.maximum(0, 1 - sign * (features @ weights))
        gradient = weights - 2 * cost * features.T @ (sign * shortfall)
        assert np.linalg.norm(gradient, axis=0).max() < 1e-5


@pytest.mark.parametrize(
    "count, dim", [MORE_FEATURES, pytest.param(*MORE_EXAMPLES, marks=pytest.mark.slow)]
)
def test_weights_are_those_of_scikit_learn(count, dim):
    features, label = classes(count, dim)
    found = l2_svm.fit(features, label, 4, COSTS)
    for weights, cost in zip(found, COSTS, strict=True):
        svm = LinearSVC(C=cost, tol=1e-8, dual=dim > count, max_iter=10**6)
        svm.fit(features[:, :-1], label)
        np.testing.assert_allclose(weights, np.c_[svm.coef_, svm.intercept_].T, atol=1e-5)


def test_single_precision_costs_no_more_than_its_rounding():
    features, label = classes(100, 300)
    single, double = (
        l2_svm.fit(features.astype(kind), label, 4, [0.1])[0] for kind in ("float32", "float64")
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-4)


def test_a_class_without_examples_is_never_guessed():
    features, label = classes(80, 10)
    weights = l2_svm.fit(features, label, 5, [1.0])[0]
    assert np.argmax(features @ weights, axis=1).max() < 4
