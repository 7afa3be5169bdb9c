"""How well images are reconstructed."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reconstruction(Evaluator):
    """Mean squared error a pixel on [-1, 1] and on [0, 1], and |I - R| / |I|, of training and test images.

    Args:
        num_images: of each split, at most.
    """

    num_images: int = 1000

    def run(self) -> Iterator[tuple[str, float]]:
        reconstruct = self.endpoint("reconstruct")
        rebuild = reconstruct.traced()
        height, width, _ = self.images.shape
        for split in ("train", "test"):
            examples = getattr(self.images, split)
            image = examples.whole()[: self.num_images, :height, :width]
            given = {"image": tf.constant(image)}
            if "label" in reconstruct.inputs:
                given["label"] = tf.constant(examples.label[: self.num_images], tf.int32)
            error = image - rebuild(**given)["image"].numpy()
            mse = float(np.mean(error**2))
            yield f"{split}_mse", mse
            yield f"{split}_mse_unit", mse / 4
            yield f"{split}_relative_error", float(np.linalg.norm(error) / np.linalg.norm(image))
