"""How near synthesized textures are to the training texture, beside three yardsticks."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.analysis import pyramid_patches
from tfgen.errors import AtLeastOne, NotNegative, UserError
from tfgen.evaluation.base import LOWER, NEITHER, Evaluator

SOURCES = ("chains", "generate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlicedWasserstein(Evaluator):
    """Sliced Wasserstein distance over pyramid patches, of samples and of three yardsticks.

    Yields the mean over levels of each, and each level, 0 the finest:
        `samples`: what the model synthesized.
        `training_crops`: as many and as large crops of the training texture, cut at random. No
            sampler can be expected to come nearer.
        `second_crop`: the held-out part of the texture.
        `phase_noise`: noise of the same spectrum, which second-order statistics give.

    Args:
        source: `chains`, the samples that training synthesized, or `generate`, new ones.
        num_samples: number of new samples, and of pictures of noise.
        num_steps: sampling steps of new samples; None takes the model's own number.
        levels: of the pyramids.
        patches: of each set at each level, at most.
        projections: number of random directions.
    """

    needs: ClassVar = frozenset({"generate"})
    better: ClassVar = {"samples*": LOWER, "*": NEITHER}

    source: str = "chains"
    num_samples: Annotated[int, AtLeastOne] = 16
    num_steps: Annotated[int | None, NotNegative] = None
    levels: Annotated[int, AtLeastOne] = 3
    patches: Annotated[int, AtLeastOne] = 65536
    projections: Annotated[int, AtLeastOne] = 256

    def check(self) -> None:
        super().check()
        able = [source for source in SOURCES if source in self.model.capabilities()]
        if self.source not in able:
            raise UserError(
                f"sliced_wasserstein.source: expected {' or '.join(able)} and found {self.source}"
            )

    def run(self) -> Iterator[tuple[str, float]]:
        rng = np.random.default_rng(self.seed)
        train, test = self.images.train.as_float(), self.images.test.as_float()
        chosen = [train[number % len(train)] for number in range(self.num_samples)]
        noise = np.stack([pyramid_patches.phase_randomised(image, rng) for image in chosen])
        samples = self._samples()
        crops = pyramid_patches.crops(train, samples.shape[:3], rng)
        sets = {
            "samples": samples,
            "training_crops": crops,
            "second_crop": test,
            "phase_noise": noise,
        }
        for name, images in sets.items():
            distances = pyramid_patches.sliced_wasserstein(
                train,
                images,
                levels=self.levels,
                count=self.patches,
                projections=self.projections,
                seed=self.seed,
            )
            yield name, float(np.mean(distances))
            for level, distance in enumerate(distances):
                yield f"{name}_level_{level}", distance

    def _samples(self) -> np.ndarray:
        given: dict[str, Any] = {}
        if self.source == "generate":
            classes = np.arange(self.num_samples) % self.model.num_classes
            given = {"count": self.num_samples, "label": classes, "num_steps": self.num_steps}
        ask = self.model.endpoint(self.source).traced()
        return ask(**given, seed=random.root(self.seed))["image"].numpy()

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_steps": self.steps_of(self.source, self.num_steps)}
