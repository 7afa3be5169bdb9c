"""The pictures that measurements of textures compare: samples and three yardsticks."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.analysis import pyramid_patches
from tfgen.errors import AtLeastOne, NotNegative, UserError
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator

SOURCES = ("chains", "generate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextureEvaluator(Evaluator, abc.ABC):
    """A measurement of a texture model's samples, beside three yardsticks.

    `samples`: what the model synthesized.
    `training_crops`: as many and as large crops of the training texture, cut at random. No sampler
        can be expected to come nearer.
    `second_crop`: the held-out part of the texture.
    `phase_noise`: noise of the same spectrum, which second-order statistics give.

    Args:
        source: `chains`, the samples that training synthesized, or `generate`, new ones.
        num_samples: number of new samples, and of pictures of noise.
        num_steps: sampling steps of new samples; None takes the model's own number.
    """

    needs: ClassVar = frozenset({"generate"})
    better: ClassVar[Mapping[str, str]] = {"samples*": LOWER, "*": NEITHER}

    source: str = "chains"
    num_samples: Annotated[int, AtLeastOne] = 16
    num_steps: Annotated[int | None, NotNegative] = None

    def check(self) -> None:
        super().check()
        able = [source for source in SOURCES if source in self.model.capabilities()]
        if self.source not in able:
            raise UserError(
                f"{self.name()}.source: expected {' or '.join(able)} and found {self.source}"
            )

    def pictures(self) -> dict[str, np.ndarray]:
        """Returns the samples and the yardsticks, float32 [n, h, w, c] in [-1, 1], by name."""
        rng = np.random.default_rng(self.seed)
        train, test = self.images.train.as_float(), self.images.test.as_float()
        chosen = [train[number % len(train)] for number in range(self.num_samples)]
        noise = np.stack([pyramid_patches.phase_randomised(image, rng) for image in chosen])
        samples = self._samples()
        crops = pyramid_patches.crops(train, samples.shape[:3], rng)
        return {
            "samples": samples,
            "training_crops": crops,
            "second_crop": test,
            "phase_noise": noise,
        }

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_steps": self.steps_of(self.source, self.num_steps)}

    def _samples(self) -> np.ndarray:
        given: dict[str, Any] = {}
        if self.source == "generate":
            classes = np.arange(self.num_samples) % self.model.num_classes
            given = {"count": self.num_samples, "label": classes, "num_steps": self.num_steps}
        ask = self.model.endpoint(self.source).traced()
        return ask(**given, seed=random.root(self.seed))["image"].numpy()
