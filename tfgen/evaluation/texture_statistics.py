"""How much synthesized textures look like the training texture, beside three yardsticks."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from tfgen.analysis import lattice, texture_statistics
from tfgen.errors import AtLeastOne
from tfgen.evaluation.base import LOWER, NEITHER
from tfgen.evaluation.texture_samples import TextureEvaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextureStatistics(TextureEvaluator):
    """Distance between joint statistics of oriented filters, with grain and colour beside it.

    Yields for each set of pictures its distance to the training picture, 0 where all statistics
    agree, the part of each group of statistics, and two ratios to the training picture, 1 where
    they agree: `grain`, the power of details of two pixels, and `chroma`, the spread of colour
    between patches of ten pixels (0 for grey pictures). `lattice` is how far details of two pixels
    are tied to places modulo 2, 3 or 4: a trace of a net's strides, in [0, 1].

    Args:
        scales: number of octaves of the filters.
    """

    better: ClassVar[Mapping[str, str]] = {
        "samples_grain": NEITHER,
        "samples_chroma": NEITHER,
        "samples_lattice": LOWER,
        "samples*": LOWER,
        "*": NEITHER,
    }

    scales: Annotated[int, AtLeastOne] = 4

    def run(self) -> Iterator[tuple[str, float]]:
        train = self.images.train.as_float()
        for name, images in self.pictures().items():
            groups = texture_statistics.distances(train, images, scales=self.scales)
            yield name, groups.pop("all")
            for group, distance in groups.items():
                yield f"{name}_{group}", distance
            yield f"{name}_grain", texture_statistics.grain_ratio(train, images)
            yield f"{name}_chroma", texture_statistics.chroma_ratio(train, images)
            yield f"{name}_lattice", lattice.strength(images)
