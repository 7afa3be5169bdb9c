"""Whether the energy tells held-out images from training images, and from images of other kinds."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from tfgen.data import images
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.evaluation.features import BATCH


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outliers(Evaluator):
    """The energy of images that the model was not trained on.

    Yields `energy_gap`, the mean energy of held-out images less that of training images, nats: 0 if the model has
    not learned its images by heart. And areas under the ROC curve of the energy as a sign of an outlier among held-out
    images, 1/2 for none: `auroc_noise`, of uniform noise; `auroc_constant`, of images of one colour each, drawn
    uniformly; and `auroc_dataset`, of another data set.

    Args:
        num_images: of each kind, at most.
        dataset: another data set, resized to the model's images; see `tfgen.data.sources`. None if empty.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files of that data set lie.

    Source of the areas: Hendrycks and Gimpel, A baseline for detecting misclassified and out-of-distribution examples
        in neural networks, 2017.
    """

    num_images: int = 1000
    dataset: str = ""
    data_dir: str = ""
    manual_dir: str = ""

    def run(self) -> Iterator[tuple[str, float]]:
        energy = self._energy()
        kinds = self._kinds()
        train, test = (energy(self._own(split)) for split in ("train", "test"))
        yield "energy_gap", float(test.mean() - train.mean())
        for name, image in kinds.items():
            found = energy(image)
            outlying = np.repeat([0, 1], [len(test), len(found)])
            yield f"auroc_{name}", float(roc_auc_score(outlying, np.concatenate([test, found])))

    def protocol(self) -> dict[str, Any]:
        # where files lie is no part of what is measured
        return {name: value for name, value in super().protocol().items() if not name.endswith("_dir")}

    def _energy(self) -> Callable[[np.ndarray], np.ndarray]:
        """Images [n, h, w, c] to their energies [n]."""
        endpoint = self.algorithm.endpoints().get("energy")
        if endpoint is None or endpoint.inputs != ["image"]:
            raise UserError("--metrics: outliers expects a model with one energy")
        traced = endpoint.traced()

        def energy(image):
            parts = (image[i : i + BATCH] for i in range(0, len(image), BATCH))
            found = np.concatenate([traced(image=tf.constant(part))["energy"].numpy() for part in parts])
            if not np.isfinite(found).all():
                raise UserError("--workdir: expected a model of finite energies and found NaN or infinity among them")
            return found.astype(np.float64)

        return energy

    def _own(self, split: str) -> np.ndarray:
        height, width, _ = self.images.shape
        return getattr(self.images, split).whole()[: self.num_images, :height, :width]

    def _kinds(self) -> dict[str, np.ndarray]:
        """Images of other kinds, by name."""
        rng = np.random.default_rng(self.seed)
        *size, channels = self.images.shape
        noise = rng.uniform(-1, 1, (self.num_images, *size, channels))
        colours = rng.uniform(-1, 1, (self.num_images, 1, 1, channels))
        found = {"noise": noise, "constant": np.broadcast_to(colours, noise.shape)}
        if self.dataset:
            other = images.load(
                self.dataset,
                image_size=tuple(size),
                channels=channels,
                test_fraction=0,  # all of a set without a split
                data_dir=self.data_dir or None,
                manual_dir=self.manual_dir or None,
            )
            found["dataset"] = other.test.whole()[: self.num_images]
        return {name: image.astype(np.float32) for name, image in found.items()}
