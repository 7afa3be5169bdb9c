"""Linear L2-SVMs of few examples with many features, fitted in the span of the examples."""

from collections.abc import Sequence

import numpy as np
from scipy import linalg
from sklearn.svm import LinearSVC

TOLERANCE = 1e-7
"""Where scikit-learn's descent in the dual problem stops; responses are exact to about 1e-5."""

MOST_PASSES = 10**6
"""Over the examples, in that descent; scikit-learn warns if they do not suffice."""


def fit(
    features: np.ndarray, label: np.ndarray, num_classes: int, costs: Sequence[float]
) -> np.ndarray:
    """Fits an SVM for each class against the rest: min over w of |w|² / 2 + C Σ max(0, 1 - y w·x)².

    Scikit-learn's `LinearSVC` is slow where features are many. The solution w = Σ β x depends on
    the examples through their Gram matrix K alone, so the rows of any L with L Lᵀ = K can stand for
    them: n numbers each. For features of unit root mean square and C up to 0.01 this takes seconds
    for a thousand examples; where C is large and features are nearly collinear, much longer.

    Args:
        features: [n, d]; a constant among them makes an intercept.
        label: int [n], from 0.
        num_classes: number of SVMs.
        costs: of C, positive.

    Returns:
        w for each C and class, [len(costs), d, num_classes].

    Example:
        >>> weights = fit(np.eye(2), np.array([0, 1]), num_classes=2, costs=[1.0])
        >>> np.round(weights[0], 3)
        array([[ 0.667, -0.667],
               [-0.667,  0.667]])
    """
    gram = (features @ features.T).astype(np.float64)
    # The dual problem knows K and C as K + I / 2C: what is added here, to make K positive definite,
    # is taken off from I / 2C below.
    ridge = 1 / (4 * max(costs))
    factor = linalg.cholesky(gram + ridge * np.eye(len(gram)), lower=True)
    found = []
    for cost in costs:
        weights = _one_against_rest(factor, label, num_classes, cost / (1 - 2 * ridge * cost))
        # from weights Lᵀ β of the rows of L back to β
        found.append(linalg.solve_triangular(factor, weights, lower=True, trans=1))
    return features.T @ np.array(found).astype(features.dtype)


def _one_against_rest(
    rows: np.ndarray, label: np.ndarray, num_classes: int, cost: float
) -> np.ndarray:
    """Fits the SVM of each class to rows [n, d], which gives [d, num_classes]."""
    # two examples at the origin, one on either side, change no solution, and no class is empty
    rows = np.pad(rows, ((0, 2), (0, 0)))
    svm = LinearSVC(C=cost, fit_intercept=False, dual=True, tol=TOLERANCE, max_iter=MOST_PASSES)
    svm.set_params(random_state=0)
    weights = []
    for number in range(num_classes):
        inside = np.append(label == number, [True, False])
        weights.append(svm.fit(rows, inside).coef_[0])
    return np.stack(weights, axis=1)
