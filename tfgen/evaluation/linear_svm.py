"""Classification error of linear SVMs on a model's features, trained on few labels."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen.analysis import l2_svm
from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator

CANDIDATES = tuple(10.0**power for power in range(-6, -1))
"""Candidates of C, the cost of an example in the margin, for features of unit root mean square."""

PART = 500
"""Number of images whose features are computed at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinearSVM(Evaluator):
    """Test error of L2-SVMs on the model's features, each trained on a draw of the training labels.

    Draws are taken from all training images. Their SVMs choose nothing by the images set aside: C
    is chosen beforehand, by other draws from the images that are not set aside.

    Yields:
        `error`: the mean over draws.
        `spread`: their standard deviation. It tells nothing of the test images.
        `standard_error`: of `error` over the test images: of the mean over them of the share of
            SVMs that an image misleads.
        `cost`: the C of least error on training images set aside, chosen with a tenth of the draws.

    Args:
        labels: number of training images of a draw.
        draws: number of SVMs.
        validation: number of training images set aside for the choice of C.

    Source: INNg, section 4.5.
    """

    needs: ClassVar = frozenset({"features"})
    better: ClassVar = {
        "error": LOWER,
        "spread": NEITHER,
        "standard_error": NEITHER,
        "cost": NEITHER,
    }

    labels: Annotated[int, AtLeastOne] = 1000
    draws: Annotated[int, AtLeastOne] = 100
    validation: Annotated[int, AtLeastOne] = 10_000

    def check(self) -> None:
        super().check()
        known = len(self.labels_of("train"))
        most = known - self.labels
        self.labels_of("test")
        if self.validation > most:
            raise UserError(
                f"linear_svm.validation: expected at most {most}, the training images less the "
                f"{self.labels} of a draw, and found {self.validation}"
            )
        if self.draws > 1 and self.labels > known / 2:
            raise UserError(
                f"linear_svm.labels: expected at most {known // 2}, half of the training images, "
                f"for {self.draws} draws that are not nearly the same, and found {self.labels}; "
                "lower it or set linear_svm.draws=1"
            )

    def run(self) -> Iterator[tuple[str, float]]:
        wrong, cost = self.misled()
        errors = wrong.mean(axis=1)
        yield "error", float(np.mean(errors))
        yield "spread", float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0
        yield "standard_error", float(np.std(wrong.mean(axis=0)) / np.sqrt(wrong.shape[1]))
        yield "cost", cost

    def misled(self) -> tuple[np.ndarray, float]:
        """Returns which test images mislead the SVM of each draw, [draws, n], and the chosen C."""
        label = self.labels_of("train")
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(label))
        aside, rest = order[: self.validation], order[self.validation :]
        few = [
            rng.choice(rest, self.labels, replace=False) for _ in range(max(1, self.draws // 10))
        ]
        tried = np.concatenate([self._machines(draw, CANDIDATES) for draw in few])
        found = self._wrong(tried, self._known[aside], label[aside]).mean(axis=1)
        cost = CANDIDATES[np.argmin(found.reshape(len(few), -1).mean(axis=0))]
        draws = [rng.choice(order, self.labels, replace=False) for _ in range(self.draws)]
        chosen = np.concatenate([self._machines(draw, [cost]) for draw in draws])
        return self._wrong(chosen, self.images.test.shown(), self.labels_of("test")), cost

    def _machines(self, draw: np.ndarray, costs: Sequence[float]) -> np.ndarray:
        """Trains SVMs on the images with the given numbers, [len(costs), d + 1, classes]."""
        label = self.labels_of("train")
        features = np.concatenate(
            [_with_constant(part / self._scale) for part in self._features(self._known[draw])]
        )
        return l2_svm.fit(features, label[draw], int(label.max()) + 1, costs)

    def _wrong(self, machines: np.ndarray, images: np.ndarray, label: np.ndarray) -> np.ndarray:
        """Returns which images, [m, n], mislead SVMs with the weights [m, d + 1, classes]."""
        beside, guesses = np.concatenate(machines, axis=1), []
        for part in self._features(images):
            response = _with_constant(part / self._scale) @ beside
            guesses.append(np.argmax(response.reshape(len(part), len(machines), -1), axis=2))
        return (np.concatenate(guesses) != label[:, np.newaxis]).T

    def _features(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Yields features [n, d] of some images at a time: those of all may not fit into memory."""
        for part in np.array_split(images, -(-len(images) // PART)):
            yield self._extract(part)

    @functools.cached_property
    def _extract(self) -> Callable[[np.ndarray], np.ndarray]:
        endpoint = self.model.endpoint("features")
        features, *_ = endpoint.outputs  # some models give probabilities beside them
        traced = endpoint.traced()
        return lambda image: traced(image=image)[features].numpy()

    @functools.cached_property
    def _known(self) -> np.ndarray:
        return self.images.train.shown()

    @functools.cached_property
    def _scale(self) -> np.float32:
        """The root mean square of the training images' features."""
        squares = sum(
            np.mean(part**2, dtype=np.float64) * len(part) for part in self._features(self._known)
        )
        return np.float32(np.sqrt(squares / len(self._known)))

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_test": len(self.images.test)}


def _with_constant(features: np.ndarray) -> np.ndarray:
    """Appends a feature of ones, [n, d + 1], whose weight is the intercept."""
    return np.pad(features, ((0, 0), (0, 1)), constant_values=1)
