"""How well missing pixels are filled in."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.data import masks
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Completion(Evaluator):
    """Mean absolute error over missing pixels, as a share of the pixel range, of held-out images.

    Yields `error`, of one completion each; `error_of_mean`, of the mean of several; and `mean_image`, of
    filling with the training images' mean.

    Args:
        mask: see `tfgen.data.masks.parse`.
        num_images: at most.
        num_completions: of each image.
        num_steps: sampling steps; 0 takes the algorithm's own.

    Source of the error: Divergence triangle, section on learning from incomplete images.
    """

    mask: str = "half:bottom"
    num_images: int = 100
    num_completions: int = 5
    num_steps: int = 0

    def run(self) -> Iterator[tuple[str, float]]:
        complete = self.endpoint("complete")
        height, width, _ = self.images.shape
        test = self.images.test
        image = test.whole()[: self.num_images, :height, :width]
        label = (
            {"label": tf.constant(test.label[: self.num_images], tf.int32)}
            if "label" in complete.inputs
            else {}
        )
        mask_seed, run_seed = random.split(random.root(self.seed))
        mask = masks.parse(self.mask, image.shape[:3], mask_seed)
        given = label | {"image": tf.constant(image), "mask": mask}
        given["num_steps"] = tf.constant(
            self.num_steps or getattr(self.algorithm, "sample_steps", 0)
        )
        fill = complete.traced()
        completed = np.stack(
            [
                fill(seed=random.fold_in(run_seed, i), **given)["image"].numpy()
                for i in range(self.num_completions)
            ]
        )
        missing = np.broadcast_to(mask.numpy() == 0, image.shape)
        mean_image = self.images.train.whole()[:, :height, :width].mean(axis=0)

        def error(filled):
            return float(np.abs(filled - image)[..., missing].mean() / 2)

        yield "error", error(completed)
        yield "error_of_mean", error(completed.mean(axis=0))
        yield "mean_image", error(np.broadcast_to(mean_image, image.shape))
