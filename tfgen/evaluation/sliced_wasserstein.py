"""How near synthesized textures are to the training texture, beside three yardsticks."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from tfgen.analysis import pyramid_patches
from tfgen.errors import AtLeastOne
from tfgen.evaluation.texture_samples import TextureEvaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlicedWasserstein(TextureEvaluator):
    """Sliced Wasserstein distance over pyramid patches, of samples and of three yardsticks.

    Yields the mean over levels of each set of pictures, and each level, 0 the finest. The distance
    follows contrast and brightness; `texture_statistics` agrees better with the eye.

    Args:
        levels: of the pyramids.
        patches: of each set at each level, at most.
        projections: number of random directions.
    """

    levels: Annotated[int, AtLeastOne] = 3
    patches: Annotated[int, AtLeastOne] = 65536
    projections: Annotated[int, AtLeastOne] = 256

    def run(self) -> Iterator[tuple[str, float]]:
        train = self.images.train.as_float()
        for name, images in self.pictures().items():
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
