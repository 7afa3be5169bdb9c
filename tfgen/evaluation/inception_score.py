"""The Inception score: how surely, and how diversely, a net classifies generated images."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from scipy import special

from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import HIGHER, NEITHER
from tfgen.evaluation.generation import GenerationEvaluator


def inception_score(p: np.ndarray, splits: int = 1) -> np.ndarray:
    """Computes exp of the mean KL(p(label | x) ‖ p(label)) for each of several consecutive parts.

    Args:
        p: [n, classes], p(label | x) of each image.
        splits: number of parts, at most n.

    Returns:
        [splits], from 1 to the number of classes.

    Raises:
        UserError: if there are fewer images than parts.

    Source: Salimans et al., Improved techniques for training GANs, 2016, section 4.
    """
    if not 1 <= splits <= len(p):
        raise UserError(f"splits: expected 1 to {len(p)}, the number of images, and found {splits}")
    p = p.astype(np.float64)
    parts = [p[i * len(p) // splits : (i + 1) * len(p) // splits] for i in range(splits)]
    divergences = [special.rel_entr(part, part.mean(axis=0)).sum(axis=1) for part in parts]
    return np.array([np.exp(divergence.mean()) for divergence in divergences])


@dataclasses.dataclass(frozen=True, kw_only=True)
class InceptionScore(GenerationEvaluator):
    """Inception score of generated images.

    Yields `score`, the mean over consecutive parts, from 1 to the number of classes. If there are
    several parts, also yields `spread`, their standard deviation.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images.
        splits: number of parts, at most the number of images.
    """

    better: ClassVar = {"score": HIGHER, "spread": NEITHER}

    splits: Annotated[int, AtLeastOne] = 1

    def run(self) -> Iterator[tuple[str, float]]:
        scores = inception_score(self.generated[1], self.splits)
        yield "score", float(scores.mean())
        if self.splits > 1:
            yield "spread", float(scores.std())
