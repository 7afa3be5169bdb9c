"""Linear L2-SVMs of few examples with many features, found in the span of the examples."""

from collections.abc import Sequence

import numpy as np
from scipy import linalg

MOST_STEPS = 100
"""Of Newton's method, which takes about ten."""


def fit(
    features: np.ndarray, label: np.ndarray, num_classes: int, costs: Sequence[float]
) -> np.ndarray:
    """A machine for each class against the rest: min over w of |w|² / 2 + C Σ max(0, 1 - y w·x)².

    Scikit-learn's `LinearSVC` solves the same problem, slowly where features are many and alike. With w = Σ β x
    and the Gram matrix K, examples respond by K β; Newton's step solves (K + I / 2C) β = y over those in the margin.

    Args:
        features: [n, d]; a constant among them makes an intercept.
        label: int [n], from 0.
        num_classes: machines.
        costs: of C, positive.

    Returns:
        w for each C and class, [len(costs), d, num_classes].

    Source: Chapelle, Training a support vector machine in the primal, 2007.
    """
    gram = (features @ features.T).astype(np.float64)
    signs = 2.0 * (label == np.arange(num_classes)[:, np.newaxis]) - 1
    beta = np.array([[_coefficients(gram, sign, cost) for sign in signs] for cost in costs])
    return features.T @ beta.swapaxes(1, 2).astype(features.dtype)


def _coefficients(gram: np.ndarray, sign: np.ndarray, cost: float) -> np.ndarray:
    """β, [n], of examples with y = 1 in the class and -1 outside."""
    beta = response = np.zeros_like(sign)
    for _ in range(MOST_STEPS):
        within = sign * response < 1
        ridge = np.eye(within.sum()) / (2 * cost)
        goal = np.zeros_like(beta)
        goal[within] = linalg.solve(
            gram[np.ix_(within, within)] + ridge, sign[within], assume_a="pos"
        )
        response_there = gram @ goal
        if np.array_equal(sign * response_there < 1, within):
            return goal  # where the gradient is zero
        beta, response = _towards(goal, response_there, beta, response, sign, cost)
    return beta


def _towards(goal, response_there, beta, response, sign, cost) -> tuple[np.ndarray, np.ndarray]:
    """β and K β on the way to the goal: there, or halfway, or a quarter of it, as soon as the objective falls."""

    def objective(b, r):
        return b @ r / 2 + cost * np.sum(np.maximum(0, 1 - sign * r) ** 2)

    share = 1.0
    while share > 1e-6:
        found = beta + share * (goal - beta), response + share * (response_there - response)
        if objective(*found) <= objective(beta, response):
            break
        share /= 2
    return found
