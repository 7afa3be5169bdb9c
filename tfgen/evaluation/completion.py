"""How well missing pixels are filled in."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.data import masks
from tfgen.errors import AtLeastOne, NotNegative
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Completion(Evaluator):
    """Mean absolute error over missing pixels of held-out images, as a share of the pixel range.

    Yields `error`, of one completion each; `error_of_mean`, of the mean of several; and
    `mean_image`, of filling with the training images' mean.

    Args:
        mask: see `tfgen.data.masks.parse`.
        num_images: at most.
        num_completions: of each image.
        num_steps: sampling steps; None takes the model's own number.

    Source of the error: Divergence triangle, section on learning from incomplete images.
    """

    needs: ClassVar = frozenset({"complete"})
    better: ClassVar = {"error*": LOWER, "mean_image": NEITHER}
    counted: ClassVar = ("test",)

    mask: str = "half:bottom"
    num_images: Annotated[int, AtLeastOne] = 100
    num_completions: Annotated[int, AtLeastOne] = 5
    num_steps: Annotated[int | None, NotNegative] = None

    def run(self) -> Iterator[tuple[str, float]]:
        complete = self.model.endpoint("complete").traced()
        given = self.examples("test", self.num_images)
        image = given["image"]
        mask_seed, run_seed = random.split(random.root(self.seed))
        mask = masks.parse(self.mask, image.shape[:-1], mask_seed)
        completed = np.empty((self.num_completions, *image.shape), np.float32)
        for number in range(self.num_completions):
            seed = random.fold_in(run_seed, number)
            found = complete(**given, mask=mask, seed=seed, num_steps=self.num_steps)
            completed[number] = found["image"]
        missing = np.broadcast_to(mask.numpy() == 0, image.shape)
        mean_image = self.images.train.shown().mean(axis=0)

        def error(filled):
            return float(np.abs(filled - image)[..., missing].mean() / 2)

        yield "error", error(completed)
        yield "error_of_mean", error(completed.mean(axis=0))
        yield "mean_image", error(np.broadcast_to(mean_image, image.shape))

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_steps": self.steps_of("complete", self.num_steps)}
