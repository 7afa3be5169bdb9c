"""Fréchet distance between features of generated and of real images."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.evaluation.generation import Compared


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|² + tr(S_a + S_b - 2 (S_a S_b)^½), the squared distance between Gaussians of the sets' moments.

    With centred sets A and B, S_a = AᵀA / (n - 1), the square roots of the eigenvalues of S_a S_b are the singular
    values of A Bᵀ over ((n - 1) (m - 1))^½; so no covariance is formed, none need be invertible, and none of the
    precision is lost in which its square root would be taken.

    Args:
        a: [n, d], at least two.
        b: [m, d], at least two.

    Returns:
        A number, not negative.

    Raises:
        UserError: if a set has fewer than two.

    Source: Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash equilibrium, 2017.
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
    """The mean [d], and R [min(n, d), d] with RᵀR the covariance."""
    mean = x.mean(axis=0)
    return mean, np.linalg.qr(x - mean, mode="r") / np.sqrt(len(x) - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FID(Compared, Evaluator):
    """Fréchet distance, on features, between generated images and a split: `distance`, 0 for equal moments.

    It is biased upwards, the more the fewer the images are: compare at equal numbers of both.

    Args:
        features: see `tfgen.evaluation.features.Features`.
        num_images: generated, at least 2.
        split: of the real images, train or test.
    """

    def run(self) -> Iterator[tuple[str, float]]:
        yield "distance", frechet_distance(*self.sets)
