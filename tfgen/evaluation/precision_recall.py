"""Precision and recall: the share of generated images that look real, and the reverse."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import HIGHER
from tfgen.evaluation.generation import ComparisonEvaluator


def precision_recall(real: np.ndarray, generated: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Computes the share of each set that lies in the other's manifold.

    A set's manifold is a union of balls, one around each point, up to its k-th nearest neighbour.

    Args:
        real: [n, d].
        generated: [m, d].
        k: at least 1, below n and m.

    Returns:
        Precision, the share of generated points in the manifold of the real ones, and recall, the
        reverse.

    Raises:
        UserError: if a set has too few points for k.

    Source: Kynkäänniemi et al., Improved precision and recall metric for assessing generative
        models, 2019, equations 1 and 2.
    """
    smaller = min(len(real), len(generated))
    if not 1 <= k < smaller:
        raise UserError(
            f"k: expected 1 to {smaller - 1}, below the images of the smaller set, and found {k}"
        )
    real, generated = real.astype(np.float64), generated.astype(np.float64)
    return _covered(generated, real, k), _covered(real, generated, k)


def _covered(points: np.ndarray, manifold: np.ndarray, k: int) -> float:
    """Returns the share of points that lie in a ball around some point of the manifold."""
    # one neighbour more than k, since each point is its own nearest neighbour
    neighbours = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(manifold)
    distances, _ = neighbours.kneighbors(manifold)
    radius = distances[:, k]

    def covered(distance, start):
        del start
        return (distance <= radius).any(axis=1)

    inside = pairwise_distances_chunked(points, manifold, reduce_func=covered)
    return float(np.concatenate(list(inside)).mean())


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionRecall(ComparisonEvaluator):
    """Precision and recall, on features, of generated images against a split of the data.

    Yields `precision` and `recall`. A larger set has smaller balls: choose `num_images` such that
    both sets have one size.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images.
        split: of the real images, train or test.
        k: which nearest neighbour the balls reach to.
    """

    better: ClassVar = {"precision": HIGHER, "recall": HIGHER}

    k: Annotated[int, AtLeastOne] = 3

    def run(self) -> Iterator[tuple[str, float]]:
        precision, recall = precision_recall(*self.sets, self.k)
        yield "precision", precision
        yield "recall", recall
