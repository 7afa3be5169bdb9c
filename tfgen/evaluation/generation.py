"""What measurements of generated images share: drawing them, and looking at them and at real ones."""

import dataclasses
import functools
from typing import Any

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis.features import BATCH, Features
from tfgen.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generated:
    """Mixed into an `Evaluator`: features and class probabilities of generated images.

    Args:
        features: see `tfgen.evaluation.features.Features`.
        num_images: generated.
    """

    features: str = ""
    num_images: int = 10_000

    @functools.cached_property
    def extractor(self) -> Features:
        """The named net."""
        return Features(self.features)

    @property
    def num_steps(self) -> int:
        """Sampling steps of each image: the algorithm's own number."""
        return getattr(self.algorithm, "sample_steps", 0)

    @functools.cached_property
    def generated(self) -> tuple[np.ndarray, np.ndarray]:
        """Of generated images, classes as frequent as in training: features [n, d], probabilities [n, classes].

        Raises:
            UserError: if the model generates none, or none that are finite.
        """
        extractor, endpoints = self.extractor, self.algorithm.endpoints()
        if "generate" not in endpoints:
            raise UserError(
                f"--metrics: expected a model that can generate and found one that can {_list(endpoints)}"
            )
        generate, label = endpoints["generate"].traced(), np.zeros(self.num_images)
        if "label" in endpoints["generate"].inputs:
            label = np.random.default_rng(self.seed).choice(
                self.images.train.label, self.num_images
            )
        found = []
        for number, start in enumerate(range(0, self.num_images, BATCH)):
            wanted = tf.constant(label[start : start + BATCH], tf.int32)
            image = generate(
                count=tf.size(wanted),
                seed=random.fold_in(random.root(self.seed), number),
                num_steps=tf.constant(self.num_steps),
                label=wanted,
            )["image"].numpy()
            if not np.isfinite(image).all():
                raise UserError(
                    "--workdir: expected a model of finite images and found NaN or infinity in what it made"
                )
            found.append(extractor(image))
        feature, probability = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return feature, probability

    def protocol(self) -> dict[str, Any]:
        """The fields, what the net is rather than where, what is done to images, and how they are sampled."""
        return super().protocol() | {
            "features": self.extractor.name,
            "features_hash": self.extractor.hash,
            "resize": self.extractor.adaptation(self.images.shape),
            "num_steps": self.num_steps,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared(Generated):
    """Mixed into an `Evaluator`: features of generated images, and of all real ones of a split.

    Args:
        split: of the real images, train or test.
    """

    split: str = "test"

    @functools.cached_property
    def sets(self) -> tuple[np.ndarray, np.ndarray]:
        """Features of real images [n, d], and of generated ones [m, d].

        Raises:
            UserError: if the split is unknown, or for the reasons of `generated`.
        """
        if self.split not in ("train", "test"):
            raise UserError(f"split: expected train or test and found {self.split}")
        height, width, _ = self.images.shape
        real, _ = self.extractor(getattr(self.images, self.split).whole()[:, :height, :width])
        return real, self.generated[0]

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_real": len(getattr(self.images, self.split))}


def _list(names) -> str:
    return ", ".join(sorted(names)) or "nothing"
