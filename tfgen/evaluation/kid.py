"""The kernel distance (KID) between features of generated and of real images."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from sklearn.metrics.pairwise import polynomial_kernel

from tfgen.errors import AtLeastOne, Range, UserError
from tfgen.evaluation.base import LOWER, NEITHER
from tfgen.evaluation.generation import ComparisonEvaluator


def kernel_distance(
    a: np.ndarray, b: np.ndarray, *, subset_size: int, num_subsets: int = 1, seed: int = 0
) -> np.ndarray:
    """Estimates the squared maximum mean discrepancy under the kernel (x·y / d + 1)³, without bias.

    Args:
        a: [n, d].
        b: [m, d].
        subset_size: examples of each set, drawn without replacement for each estimate; at least 2.
        num_subsets: number of estimates.
        seed: of the draws of subsets.

    Returns:
        [num_subsets]; the expectation of each is 0 if both sets follow one distribution.

    Raises:
        UserError: if a subset has more examples than a set, or fewer than two.

    Source: Binkowski et al., Demystifying MMD GANs, 2018, section 4.
    """
    smaller = min(len(a), len(b))
    if not 2 <= subset_size <= smaller:
        raise UserError(
            f"subset_size: expected 2 to {smaller}, the images of the smaller set, and found "
            f"{subset_size}"
        )
    rng = np.random.default_rng(seed)
    a, b = a.astype(np.float64), b.astype(np.float64)
    estimates = []
    for _ in range(num_subsets):
        ours = rng.choice(len(a), subset_size, replace=False)
        theirs = rng.choice(len(b), subset_size, replace=False)
        estimates.append(_mmd(a[ours], b[theirs]))
    return np.array(estimates)


def _mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Compares two sets of one size."""
    size = len(x)
    xx = polynomial_kernel(x, degree=3, coef0=1)
    yy = polynomial_kernel(y, degree=3, coef0=1)
    xy = polynomial_kernel(x, y, degree=3, coef0=1)
    # without bias only if no point is compared with itself
    same = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return same / (size * (size - 1)) - 2 * xy.mean()


@dataclasses.dataclass(frozen=True, kw_only=True)
class KID(ComparisonEvaluator):
    """Kernel distance, on features, between generated images and a split of the data.

    Yields `distance`, the mean over random subsets, and `spread`, their standard deviation. The
    mean has no bias at any number of images, so it may be below 0.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images.
        split: of the real images, train or test.
        subset_size: images of each set in a subset, at least 2.
        num_subsets: number of subsets.
    """

    better: ClassVar = {"distance": LOWER, "spread": NEITHER}

    subset_size: Annotated[int, Range(least=2)] = 100
    num_subsets: Annotated[int, AtLeastOne] = 100

    def run(self) -> Iterator[tuple[str, float]]:
        found = kernel_distance(
            *self.sets, subset_size=self.subset_size, num_subsets=self.num_subsets, seed=self.seed
        )
        yield "distance", float(found.mean())
        yield "spread", float(found.std())
