"""How surely, and how diversely, a net classifies generated images."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy import special

from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.evaluation.generation import Generated


def inception_score(p: np.ndarray, splits: int = 1) -> np.ndarray:
    """exp of the mean KL(p(label | x) ‖ p(label)), of each of some consecutive parts.

    Args:
        p: [n, classes], p(label | x) of each image.
        splits: how many parts, at most n.

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
    return np.array(
        [np.exp(special.rel_entr(part, part.mean(axis=0)).sum(axis=1).mean()) for part in parts]
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class InceptionScore(Generated, Evaluator):
    """The Inception score of generated images: `score`, from 1 to the number of classes, and its `spread`.

    The mean over consecutive parts and, where they are several, their standard deviation.

    Args:
        features: see `tfgen.evaluation.features.Features`.
        num_images: generated.
        splits: parts, at most as many as images.
    """

    splits: int = 1

    def run(self) -> Iterator[tuple[str, float]]:
        scores = inception_score(self.generated[1], self.splits)
        yield "score", float(scores.mean())
        if self.splits > 1:
            yield "spread", float(scores.std())
