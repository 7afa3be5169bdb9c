"""How well images are reconstructed."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np

from tfgen.errors import AtLeastOne
from tfgen.evaluation.base import LOWER, Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reconstruction(Evaluator):
    """Error of the model's reconstructions R of training and of test images I.

    Yields, of each split, `SPLIT_mse`, the mean squared error a pixel on [-1, 1];
    `SPLIT_mse_unit`, the same on [0, 1]; and `SPLIT_relative_error`, |I - R| / |I|.

    Args:
        num_images: of each split, at most.
    """

    needs: ClassVar = frozenset({"reconstruct"})
    better: ClassVar = {"*_mse": LOWER, "*_mse_unit": LOWER, "*_relative_error": LOWER}
    counted: ClassVar = ("train", "test")

    num_images: Annotated[int, AtLeastOne] = 1000

    def run(self) -> Iterator[tuple[str, float]]:
        reconstruct = self.model.endpoint("reconstruct").traced()
        for split in ("train", "test"):
            given = self.examples(split, self.num_images)
            image = given["image"]
            error = image - reconstruct(**given)["image"].numpy()
            mse = float(np.mean(error**2))
            yield f"{split}_mse", mse
            yield f"{split}_mse_unit", mse / 4
            yield f"{split}_relative_error", float(np.linalg.norm(error) / np.linalg.norm(image))
