"""The bases of measurements of generated images: drawing these, and features of both sets."""

import abc
import dataclasses
import functools
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis.features import BATCH, Features
from tfgen.errors import AtLeastOne, UserError
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationEvaluator(Evaluator, abc.ABC):
    """A measurement of features and class probabilities of generated images.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"generate"})

    features: str = ""
    num_images: Annotated[int, AtLeastOne] = 10_000

    @functools.cached_property
    def extractor(self) -> Features:
        """The named net."""
        return Features(self.features)

    @functools.cached_property
    def generated(self) -> tuple[np.ndarray, np.ndarray]:
        """Features [n, d] and class probabilities [n, classes] of generated images.

        Raises:
            UserError: if there is no such net, or an image is not finite.
        """
        extractor = self.extractor  # refuses a wrong path before anything is generated
        found = [extractor(image) for image in self._batches()]
        feature, probability = zip(*found, strict=True)
        return np.concatenate(feature), np.concatenate(probability)

    def _batches(self) -> Iterator[np.ndarray]:
        """Yields generated images, [b, h, w, c], of classes as frequent as in training."""
        generate = self.model.endpoint("generate").traced()
        label = self._labels()
        for number, start in enumerate(range(0, self.num_images, BATCH)):
            wanted = label[start : start + BATCH]
            seed = random.fold_in(random.root(self.seed), number)
            found = generate(count=tf.size(wanted), seed=seed, label=wanted)
            image = found["image"].numpy()
            if not np.isfinite(image).all():
                raise UserError(
                    f"{self.name()}: expected a model that generates finite images and found NaN "
                    "or infinity in what it made"
                )
            yield image

    def _labels(self) -> np.ndarray:
        """Returns the class of each generated image, int32 [n]; 0 where there are no classes."""
        if self.model.num_classes == 1:
            return np.zeros(self.num_images, np.int32)
        label = self.labels_of("train")
        # drawn with replacement, so that each class comes as often as in training
        return np.random.default_rng(self.seed).choice(label, self.num_images).astype(np.int32)

    def protocol(self) -> dict[str, Any]:
        height, width, channels = self.model.image_shape
        return super().protocol() | {
            "features": self.extractor.name,  # what the net is, not where its file lies
            "features_hash": self.extractor.hash,
            "resize": self.extractor.adaptation((height, width, channels)),
            "num_steps": self.steps_of("generate"),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonEvaluator(GenerationEvaluator, abc.ABC):
    """A measurement that compares features of generated images and of a split of the data.

    Args:
        features: see `tfgen.analysis.features.Features`.
        num_images: number of generated images.
        split: of the real images, train or test.
    """

    split: str = "test"

    @functools.cached_property
    def sets(self) -> tuple[np.ndarray, np.ndarray]:
        """Features of all real images of the split, [n, d], and of generated ones, [m, d].

        Raises:
            UserError: if the split is unknown, or for the reasons of `generated`.
        """
        real, _ = self.extractor(self.examples(self.split)["image"])
        return real, self.generated[0]

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_real": len(self.part(self.split))}
