"""How near synthesized textures are to the training texture, beside three yardsticks."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis import pyramid_patches
from tfgen.errors import UserError
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlicedWasserstein(Evaluator):
    """Sliced Wasserstein distance over pyramid patches, of the samples and of three yardsticks.

    Yields the mean over levels of each, and each level, 0 the finest: `samples`, `training_crops` (as many and as
    large, cut from the training texture at random: what the best of samplers may hope for), `second_crop` (held-out
    texture), and `phase_noise` (noise of the same spectrum: what second-order statistics give).

    Args:
        source: which samples: `chains`, the ones that training synthesized, or `generate`, new ones.
        num_samples: new samples, and pictures of noise.
        num_steps: sampling steps of new samples; 0 takes the algorithm's own.
        levels: of the pyramids.
        patches: the most a level of each set.
        projections: random directions.
    """

    source: str = "chains"
    num_samples: int = 16
    num_steps: int = 0
    levels: int = 3
    patches: int = 65536
    projections: int = 256

    def run(self) -> Iterator[tuple[str, float]]:
        rng = np.random.default_rng(self.seed)
        train, test = self.images.train.whole(), self.images.test.whole()
        noise = [
            pyramid_patches.phase_randomised(train[i % len(train)], rng)
            for i in range(self.num_samples)
        ]
        samples = self._samples()
        for name, images in {
            "samples": samples,
            "training_crops": pyramid_patches.crops(train, samples.shape[:3], rng),
            "second_crop": test,
            "phase_noise": np.stack(noise),
        }.items():
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
        endpoints = self.algorithm.endpoints()
        if self.source not in ("chains", "generate") or self.source not in endpoints:
            raise UserError(
                f"--sliced_wasserstein.source: expected chains or generate and found {self.source}"
            )
        if self.source == "chains":
            return endpoints["chains"].fn()["image"].numpy()
        steps = tf.constant(self.num_steps or getattr(self.algorithm, "sample_steps", 0))
        given = {
            "count": tf.constant(self.num_samples),
            "seed": random.root(self.seed),
            "num_steps": steps,
        }
        return endpoints["generate"].traced()(**given)["image"].numpy()
