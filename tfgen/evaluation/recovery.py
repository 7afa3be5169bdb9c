"""How well the missing pixels of training images were recovered."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recovery(Evaluator):
    """Mean absolute error over the missing pixels of the training images, as a share of the pixel range.

    Yields `error`, of the images as training left them filled in; `error_of_reconstruction`, of what the trained
    model makes of these; `zeros` and `mean_image`, of filling with zeros and with the mean of known pixels.

    Source: Divergence triangle, section on learning from incomplete images.
    """

    def run(self) -> Iterator[tuple[str, float]]:
        train, missing = self.images.train, getattr(self.algorithm, "missing", None)
        if train.mask is None or missing is None:
            raise UserError(
                "--metrics: recovery expects a model that was trained with --missing pixels"
            )
        truth, mask = train.whole(), train.mask.astype(np.float32)
        reconstruct = self.endpoint("reconstruct").traced()

        def error(image):
            return float(
                (np.abs(image - truth) * (1 - mask)).sum()
                / ((1 - mask).sum() * truth.shape[-1])
                / 2
            )

        filled, rebuilt = [], []
        for start in range(0, len(truth), 100):
            index = np.arange(start, min(start + 100, len(truth)))
            batch = {"image": truth[index] * mask[index], "mask": mask[index], "index": index}
            filled.append(missing.fill({name: tf.constant(value) for name, value in batch.items()}))
            rebuilt.append(reconstruct(image=filled[-1])["image"])
        yield "error", error(np.concatenate(filled))
        yield "error_of_reconstruction", error(np.concatenate(rebuilt))
        yield "zeros", error(np.zeros_like(truth))
        known = (truth * mask).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
        yield "mean_image", error(np.broadcast_to(known, truth.shape))

    def protocol(self) -> dict[str, Any]:
        share = (
            None
            if self.images.train.mask is None
            else round(float(1 - self.images.train.mask.mean()), 4)
        )
        return super().protocol() | {"num_images": len(self.images.train), "missing_share": share}
