"""What a model's features are worth to a linear classifier that sees few labels."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.svm import LinearSVC

from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator

CANDIDATES = tuple(10.0**power for power in range(-6, -1))
"""Of C, the cost of an example on the wrong side, for features of unit root mean square."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearSVM(Evaluator):
    """Test error of L2-SVMs on the model's features, each trained on a draw of the training labels.

    Yields `error`, the mean over draws, `spread`, their standard deviation, and `cost`, the C that erred least on
    training images set aside, over a tenth of the draws.

    Args:
        labels: training images of a draw.
        draws: how many SVMs.
        validation: training images set aside for the choice of C.

    Source: INNg, section 4.5.
    """

    labels: int = 1000
    draws: int = 100
    validation: int = 10_000

    def run(self) -> Iterator[tuple[str, float]]:
        train, test = self.images.train, self.images.test
        if train.label is None or test.label is None:
            raise UserError("--metrics: linear_svm expects a data set with labels")
        if self.validation + self.labels > len(train):
            raise UserError(
                f"--linear_svm.validation: expected at most {len(train) - self.labels}, the training images less the "
                f"{self.labels} of a draw, and found {self.validation}"
            )
        known, unseen = self._features(train.whole()), self._features(test.whole())
        scale = np.sqrt(np.mean(known**2))
        known, unseen = known / scale, unseen / scale
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(train))
        aside, rest = order[: self.validation], order[self.validation :]
        draws = [rng.choice(rest, self.labels, replace=False) for _ in range(self.draws)]

        def error(cost, draw, features, label):
            svm = LinearSVC(C=cost, random_state=self.seed).fit(known[draw], train.label[draw])
            return 1 - svm.score(features, label)

        few = draws[: max(1, self.draws // 10)]
        mean = {c: np.mean([error(c, d, known[aside], train.label[aside]) for d in few]) for c in CANDIDATES}
        cost = min(mean, key=mean.get)
        errors = [error(cost, draw, unseen, test.label) for draw in draws]
        yield "error", float(np.mean(errors))
        yield "spread", float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0
        yield "cost", cost

    def _features(self, images: np.ndarray) -> np.ndarray:
        """[n, d]."""
        features = self.endpoint("features").traced()
        parts = np.array_split(images, -(-len(images) // 500))
        return np.concatenate([features(image=tf.constant(part))["features"].numpy() for part in parts])

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_test": len(self.images.test)}
