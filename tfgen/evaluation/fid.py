"""The Fréchet distance (FID) between features of generated and of real images."""

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from tfgen.errors import UserError
from tfgen.evaluation.base import LOWER
from tfgen.evaluation.generation import ComparisonEvaluator


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Computes the squared Fréchet distance between Gaussians that have the moments of two sets.

    It is |m_a - m_b|² + tr(S_a + S_b - 2 (S_a S_b)^½). Let A and B be the centred sets, so that
    S_a = AᵀA / (n - 1). The square roots of the eigenvalues of S_a S_b are then the singular values
    of A Bᵀ over ((n - 1) (m - 1))^½. So no covariance is formed, none need be invertible, and no
    precision is lost in the square root of a product of covariances.

    Args:
        a: [n, d], at least two.
        b: [m, d], at least two.

    Returns:
        A number, not negative.

    Raises:
        UserError: if a set has fewer than two.

    Source: Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash
        equilibrium, 2017.
    """
    if min(len(a), len(b)) < 2:
        raise UserError(
            f"num_images: expected at least 2 images in each set and found {len(a)} and {len(b)}"
        )
    means, roots = zip(*(_moments(x.astype(np.float64)) for x in (a, b)), strict=True)
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum((root**2).sum() for root in roots)
    return float(max(((means[0] - means[1]) ** 2).sum() + spread - 2 * shared, 0.0))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean [d], and R [min(n, d), d] such that RᵀR is the covariance."""
    mean = x.mean(axis=0)
    return mean, np.linalg.qr(x - mean, mode="r") / np.sqrt(len(x) - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FID(ComparisonEvaluator):
    """Fréchet distance, on features, between generated images and a split of the data.

    Yields `distance`, which is 0 for equal moments. It is biased upwards, and more so for fewer
    images: compare values at equal numbers of both sets.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images, at least 2.
        split: of the real images, train or test.
    """

    better: ClassVar = {"distance": LOWER}

    def run(self) -> Iterator[tuple[str, float]]:
        yield "distance", frechet_distance(*self.sets)
