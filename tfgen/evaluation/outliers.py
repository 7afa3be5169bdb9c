"""Whether the energy tells held-out images from training images, and from images of other kinds."""

import dataclasses
import math
import pathlib
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import imageio.v3 as iio
import numpy as np
from sklearn.metrics import roc_auc_score

from tfgen import random
from tfgen.analysis import near_outliers
from tfgen.analysis.features import BATCH
from tfgen.data import examples
from tfgen.data.preprocess import to_uint8
from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import HIGHER, NEITHER, ScoreEvaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outliers(ScoreEvaluator):
    """The energy, U / T in nats, of images that the model was not trained on.

    Yields `energy_gap`, the mean energy of held-out images less that of training images. It is 0 if
    the model has not learned its images by heart. Also yields areas under the ROC curve of three
    signs of an outlier among held-out images, 1/2 for none:
        `auroc_KIND`: the energy.
        `auroc_KIND_typicality`: its distance from the mean energy of training images.
        `auroc_KIND_ratio`: the energy less the nats that PNG takes for the image, so that plain
            images are not all likely.
    Kinds are `noise`, uniform; `constant`, images of one colour each, drawn uniformly; and other
    data sets by their names. With `hard`, there are also `own_samples` of a model that generates,
    and held-out images changed as `tfgen.analysis.near_outliers` says: `flipped`,
    `permuted_quadrants`, `mixed_quadrants` of two images, `mean_of_two`, `maximum_of_two`,
    `blurred`. Of own samples, 1/2 is the mark of a model that generates as its energy says.

    Args:
        num_images: of each kind, at most.
        datasets: others, separated by commas, resized to the model's images; see
            `tfgen.data.sources`. Empty: none.
        hard: whether outliers near to data are asked for, too.
        data_dir: where TensorFlow Datasets keeps what it prepared.
        manual_dir: where original files of these data sets lie.

    Source: Hendrycks and Gimpel, A baseline for detecting misclassified and out-of-distribution
        examples in neural networks, 2017; Nalisnick et al., Detecting out-of-distribution inputs to
        deep generative models using typicality, 2019; Serrà et al., Input complexity and
        out-of-distribution detection, 2020.
    """

    better: ClassVar = {
        "auroc_own_samples*": NEITHER,
        "auroc_*": HIGHER,
        "energy_gap": NEITHER,
    }
    counted: ClassVar = ("train", "test")

    num_images: Annotated[int, AtLeastOne] = 1000
    datasets: str = ""
    hard: bool = False
    data_dir: str = ""
    manual_dir: str = ""

    def run(self) -> Iterator[tuple[str, float]]:
        train_image = self.images.train.shown(self.num_images)
        test_image = self.images.test.shown(self.num_images)
        train, test = self._finite(train_image), self._finite(test_image)
        usual = train.mean()
        yield "energy_gap", float(test.mean() - usual)
        signs = {
            "": lambda u, image: u,
            "_typicality": lambda u, image: np.abs(u - usual),
            "_ratio": lambda u, image: u - png_nats(image),
        }
        kinds = self._kinds() | (self._hard_kinds(test_image) if self.hard else {})
        for name, image in kinds.items():
            found = self._finite(image)
            outlying = np.repeat([0, 1], [len(test), len(found)])
            for suffix, sign in signs.items():
                score = np.concatenate([sign(test, test_image), sign(found, image)])
                yield f"auroc_{name}{suffix}", float(roc_auc_score(outlying, score))

    def protocol(self) -> dict[str, Any]:
        # where files lie is no part of what is measured
        # so many noise images are drawn, however many images there are
        everything = super().protocol() | {"num_images": self.num_images}
        return {name: value for name, value in everything.items() if not name.endswith("_dir")}

    def _finite(self, image: np.ndarray) -> np.ndarray:
        """Computes energies, [n], and refuses others than finite ones."""
        found = self.energies(image)
        if not np.isfinite(found).all():
            raise UserError(
                "outliers: expected a model of finite energies and found NaN or infinity among them"
            )
        return found

    def _kinds(self) -> dict[str, np.ndarray]:
        """Returns images of other kinds, by name."""
        rng = np.random.default_rng(self.seed)
        height, width, channels = self.target.image_shape
        noise = rng.uniform(-1, 1, (self.num_images, height, width, channels))
        colours = rng.uniform(-1, 1, (self.num_images, 1, 1, channels))
        found = {"noise": noise, "constant": np.broadcast_to(colours, noise.shape)}
        for name in filter(None, self.datasets.split(",")):
            other = examples.load(
                name,
                image_size=(height, width),
                channels=channels,
                test_fraction=0,  # all of a set without a split
                data_dir=self.data_dir or None,
                manual_dir=self.manual_dir or None,
            )
            found[_short(name)] = other.test.shown(self.num_images)
        return {name: image.astype(np.float32) for name, image in found.items()}

    def _hard_kinds(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Returns own samples, as many as images at most, and outliers made from images."""
        found = near_outliers.made_from(image, self.seed)
        if "generate" in self.model.capabilities():
            found["own_samples"] = self._own_samples(len(image))
        return found

    def _own_samples(self, count: int) -> np.ndarray:
        """Generates images, [count, h, w, c], by the model's own number of steps."""
        generate = self.model.endpoint("generate").traced()
        parts = []
        for number, start in enumerate(range(0, count, BATCH)):
            seed = random.fold_in(random.root(self.seed), number)
            made = generate(count=min(BATCH, count - start), seed=seed)
            parts.append(made["image"].numpy())
        return np.concatenate(parts)


def png_nats(image: np.ndarray) -> np.ndarray:
    """Computes the nats of each image's PNG file, [n]: the price of an image in general.

    Args:
        image: [n, h, w, c] in [-1, 1].
    """
    lengths = []
    for picture in to_uint8(image):
        grey = picture.shape[-1] == 1
        content = iio.imwrite("<bytes>", picture[..., 0] if grey else picture, extension=".png")
        lengths.append(len(content))
    return 8 * math.log(2) * np.array(lengths)


def _short(dataset: str) -> str:
    """Returns a data set's name without what a file system adds to it."""
    return re.sub(r"\W+", "_", pathlib.PurePath(dataset.rpartition(":")[2]).stem)
