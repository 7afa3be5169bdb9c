"""Whether synthesized images show where patches or canvases end."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np

from tfgen import random
from tfgen.errors import AtLeastOne, Range, UserError
from tfgen.evaluation.base import NEITHER, Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seams(Evaluator):
    """How images change from pixel to pixel at possible seams, compared with elsewhere.

    The images are larger than the training image. Yields `ratio`: the mean absolute difference of
    neighbours across every `period`-th row and column, over that across all others. Also yields
    `z`, by how many standard errors the ratio differs from 1; the spread over rows and columns
    gives the standard error.

    Args:
        size: side of the images, pixels.
        period: pixels from one possible seam to the next, at least 2 and below `size`.
        num_samples: number of images.
    """

    needs: ClassVar = frozenset({"synthesize"})
    better: ClassVar = {"ratio": NEITHER, "z": NEITHER}

    size: Annotated[int, AtLeastOne] = 256
    period: Annotated[int, Range(least=2)] = 64
    num_samples: Annotated[int, AtLeastOne] = 1

    def check(self) -> None:
        super().check()
        if self.period >= self.size:
            raise UserError(
                f"seams.period: expected a number below {self.size}, the size, and found "
                f"{self.period}"
            )

    def run(self) -> Iterator[tuple[str, float]]:
        synthesize = self.model.endpoint("synthesize").traced()
        size, seed = (self.size, self.size), random.root(self.seed)
        found = synthesize(count=self.num_samples, seed=seed, size=size)
        ratio, z = seams(found["image"].numpy(), self.period)
        yield "ratio", ratio
        yield "z", z

    def protocol(self) -> dict[str, Any]:
        return super().protocol() | {"num_steps": self.steps_of("synthesize")}


def seams(images: np.ndarray, period: int) -> tuple[float, float]:
    """Computes the ratio of changes at seams, and its distance from 1 in standard errors.

    Args:
        images: [n, h, w, c].
        period: pixels from one seam to the next, counted from the border.
    """
    # of each pair of neighbouring rows, then of columns: how much they differ on average
    rows = np.abs(np.diff(images, axis=1)).mean(axis=(0, 2, 3))
    columns = np.abs(np.diff(images, axis=2)).mean(axis=(0, 1, 3))
    # a seam lies after every so many rows and columns
    number = np.concatenate([np.arange(len(rows)), np.arange(len(columns))])
    change, at_seam = np.concatenate([rows, columns]), (number + 1) % period == 0
    elsewhere = change[~at_seam]
    ratio = change[at_seam].mean() / elsewhere.mean()
    standard_error = elsewhere.std() / np.sqrt(at_seam.sum()) / elsewhere.mean()
    return float(ratio), float((ratio - 1) / standard_error)
