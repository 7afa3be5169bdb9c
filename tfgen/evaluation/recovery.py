"""How well the missing pixels of training images are recovered."""

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.errors import UserError
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator

BATCH = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recovery(Evaluator):
    """Mean absolute error over hidden pixels of training images, as a share of the pixel range.

    The trained model completes the images that it was trained on, of which it has never seen the
    hidden pixels: these start as zeros, and are filled with what is decoded, time after time.

    Yields:
        `error`: of the completed images.
        `error_of_reconstruction`: of the model's reconstructions of these.
        `zeros`: of filling with zeros.
        `mean_image`: of filling with the mean of known pixels.

    Source: Divergence triangle, section on learning from incomplete images.
    """

    needs: ClassVar = frozenset({"complete", "reconstruct"})
    better: ClassVar = {"error*": LOWER, "zeros": NEITHER, "mean_image": NEITHER}

    def check(self) -> None:
        super().check()
        self._known()

    def run(self) -> Iterator[tuple[str, float]]:
        truth, known = self.images.train.as_float(), self._known()
        missing = np.broadcast_to(known == 0, truth.shape)
        completed, rebuilt = self._recovered(truth, known)

        def error(image):
            return float(np.abs(image - truth)[missing].mean() / 2)

        yield "error", error(completed)
        yield "error_of_reconstruction", error(rebuilt)
        yield "zeros", error(np.zeros_like(truth))
        mean = (truth * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        yield "mean_image", error(np.broadcast_to(mean, truth.shape))

    def _known(self) -> np.ndarray:
        """Returns 1 where a pixel is known and 0 where it is hidden, [n, h, w, 1]."""
        mask = self.images.train.mask
        if mask is None:
            raise UserError(
                "recovery: expected training images with hidden pixels, which --missing gives, and "
                "found whole ones"
            )
        return mask.astype(np.float32)

    def _recovered(self, truth: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the training images completed, and the reconstructions of these."""
        complete = self.model.endpoint("complete").traced()
        reconstruct = self.model.endpoint("reconstruct").traced()
        completed, rebuilt = np.empty_like(truth), np.empty_like(truth)
        for number, start in enumerate(range(0, len(truth), BATCH)):
            part = slice(start, start + BATCH)
            seed = random.fold_in(random.root(self.seed), number)
            shown = truth[part] * known[part]  # hidden pixels are not given away
            completed[part] = complete(image=shown, mask=known[part], seed=seed)["image"]
            rebuilt[part] = reconstruct(image=completed[part])["image"]
        return completed, rebuilt

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {
            "num_images": len(self.images.train),
            "missing_share": round(float(1 - self._known().mean()), 4),
            "num_steps": self.steps_of("complete"),
        }
