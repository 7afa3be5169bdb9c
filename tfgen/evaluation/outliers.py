"""Whether the energy tells held-out images from training images, and from images of other kinds."""

import dataclasses
import math
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import imageio.v3 as iio
import numpy as np
from sklearn.metrics import roc_auc_score

from tfgen.analysis.features import BATCH
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.data import examples
from tfgen.data.preprocess import to_uint8
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator
from tfgen.types import EnergyFn


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outliers(Evaluator):
    """The energy of images that the model was not trained on.

    Yields `energy_gap`, the mean energy of held-out images less that of training images, nats: 0 if the model has
    not learned its images by heart. And areas under the ROC curve of three signs of an outlier among held-out
    images, 1/2 for none: `auroc_KIND`, of the energy; `auroc_KIND_typicality`, of its distance from the mean energy of
    training images; `auroc_KIND_ratio`, of the energy less the nats that PNG takes for the image, so that plain images
    are not all likely. Kinds are `noise`, uniform; `constant`, images of one colour each, drawn uniformly; and other
    data sets by their names.

    Args:
        num_images: of each kind, at most.
        datasets: others, separated by commas, resized to the model's images; see `tfgen.data.sources`. None if empty.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files of these data sets lie.

    Source: Hendrycks and Gimpel, A baseline for detecting misclassified and out-of-distribution examples in neural
        networks, 2017; Nalisnick et al., Detecting out-of-distribution inputs to deep generative models using
        typicality, 2019; Serrà et al., Input complexity and out-of-distribution detection, 2020.
    """

    num_images: int = 1000
    datasets: str = ""
    data_dir: str = ""
    manual_dir: str = ""

    def run(self) -> Iterator[tuple[str, float]]:
        energy = self._finite(self.energy())
        kinds = self._kinds()
        train_image, test_image = (self.own(split, self.num_images) for split in ("train", "test"))
        train, test = energy(train_image), energy(test_image)
        yield "energy_gap", float(test.mean() - train.mean())
        signs = {
            "": lambda u, image: u,
            "_typicality": lambda u, image: np.abs(u - train.mean()),
            "_ratio": lambda u, image: u - png_nats(image),
        }
        for name, image in kinds.items():
            found = energy(image)
            outlying = np.repeat([0, 1], [len(test), len(found)])
            for suffix, sign in signs.items():
                score = np.concatenate([sign(test, test_image), sign(found, image)])
                yield f"auroc_{name}{suffix}", float(roc_auc_score(outlying, score))

    def protocol(self) -> dict[str, Any]:
        # where files lie is no part of what is measured
        return {
            name: value for name, value in super().protocol().items() if not name.endswith("_dir")
        }

    def _finite(self, energy: EnergyFn) -> Callable[[np.ndarray], np.ndarray]:
        """Images [n, h, w, c] to their energies [n]."""

        def energies(image):
            (found,) = MinibatchMap(BATCH).map("energies", lambda x: (energy(x),), image)
            if not np.isfinite(found).all():
                raise UserError(
                    "--workdir: expected a model of finite energies and found NaN or infinity among them"
                )
            return found.astype(np.float64)

        return energies

    def _kinds(self) -> dict[str, np.ndarray]:
        """Images of other kinds, by name."""
        rng = np.random.default_rng(self.seed)
        *size, channels = self.images.shape
        noise = rng.uniform(-1, 1, (self.num_images, *size, channels))
        colours = rng.uniform(-1, 1, (self.num_images, 1, 1, channels))
        found = {"noise": noise, "constant": np.broadcast_to(colours, noise.shape)}
        for name in filter(None, self.datasets.split(",")):
            other = examples.load(
                name,
                image_size=tuple(size),
                channels=channels,
                test_fraction=0,  # all of a set without a split
                data_dir=self.data_dir or None,
                manual_dir=self.manual_dir or None,
            )
            found[_short(name)] = other.test.whole()[: self.num_images]
        return {name: image.astype(np.float32) for name, image in found.items()}


def png_nats(image: np.ndarray) -> np.ndarray:
    """Nats of the PNG file of each image, [n]: what a model of images in general takes for it.

    Args:
        image: [n, h, w, c] in [-1, 1].
    """
    files = (
        iio.imwrite("<bytes>", x.squeeze(-1) if x.shape[-1] == 1 else x, extension=".png")
        for x in to_uint8(image)
    )
    return np.array([8 * math.log(2) * len(file) for file in files])


def _short(dataset: str) -> str:
    """A data set's name without what a file system adds to it."""
    return re.sub(r"\W+", "_", pathlib.PurePath(dataset.rpartition(":")[2]).stem)
