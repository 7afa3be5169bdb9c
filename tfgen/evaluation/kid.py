"""Kernel distance between features of generated and of real images."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from sklearn.metrics.pairwise import polynomial_kernel

from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.evaluation.generation import Compared


def kernel_distance(
    a: np.ndarray, b: np.ndarray, *, subset_size: int, num_subsets: int = 1, seed: int = 0
) -> np.ndarray:
    """Unbiased estimates of the squared maximum mean discrepancy under the kernel (x·y / d + 1)³.

    Args:
        a: [n, d].
        b: [m, d].
        subset_size: of each set, drawn without replacement for each estimate; at least 2.
        num_subsets: how many estimates.
        seed: of the subsets.

    Returns:
        [num_subsets]; the expectation of each is 0 where both sets follow one distribution.

    Raises:
        UserError: if a set has fewer than a subset, or a subset fewer than two.

    Source: Binkowski et al., Demystifying MMD GANs, 2018, section 4.
    """
    smaller = min(len(a), len(b))
    if not 2 <= subset_size <= smaller:
        raise UserError(
            f"subset_size: expected 2 to {smaller}, the images of the smaller set, and found {subset_size}"
        )
    rng = np.random.default_rng(seed)
    a, b = a.astype(np.float64), b.astype(np.float64)

    def estimate():
        return _mmd(*(x[rng.choice(len(x), subset_size, replace=False)] for x in (a, b)))

    return np.array([estimate() for _ in range(num_subsets)])


def _mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Of two sets of one size; a point is not compared with itself."""
    size = len(x)
    xx, yy, xy = (polynomial_kernel(*pair, degree=3, coef0=1) for pair in ((x, x), (y, y), (x, y)))
    same = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return same / (size * (size - 1)) - 2 * xy.mean()


@dataclasses.dataclass(frozen=True, kw_only=True)
class KID(Compared, Evaluator):
    """Kernel distance, on features, between generated images and a split: `distance` and its `spread`.

    The mean over random subsets, without bias at any number of images, so that it may come out below 0; and
    their standard deviation.

    Args:
        features: see `tfgen.evaluation.features.Features`.
        num_images: generated.
        split: of the real images, train or test.
        subset_size: images of each set in a subset, at least 2.
        num_subsets: how many.
    """

    subset_size: int = 100
    num_subsets: int = 100

    def run(self) -> Iterator[tuple[str, float]]:
        found = kernel_distance(
            *self.sets, subset_size=self.subset_size, num_subsets=self.num_subsets, seed=self.seed
        )
        yield "distance", float(found.mean())
        yield "spread", float(found.std())
