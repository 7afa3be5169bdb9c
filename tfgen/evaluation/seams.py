"""Whether synthesized images show where patches or canvases end."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.evaluation.base import Evaluator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seams(Evaluator):
    """How images larger than the training image change from pixel to pixel, at would-be seams and elsewhere.

    Yields `ratio`, the mean absolute difference of neighbours across every `period`-th row and column to that
    across all others, and `z`, how many standard errors, from the spread over rows and columns, it is from 1.

    Args:
        size: side of the images, pixels.
        period: of the seams that are looked for, pixels.
        num_samples: images.
    """

    size: int = 256
    period: int = 64
    num_samples: int = 1

    def run(self) -> Iterator[tuple[str, float]]:
        ask = self.endpoint("synthesize").traced()
        size = tf.constant([self.size, self.size])
        steps = tf.constant(getattr(self.algorithm, "sample_steps", 0))
        given = {
            "count": tf.constant(self.num_samples),
            "seed": random.root(self.seed),
            "num_steps": steps,
        }
        ratio, z = seams(ask(**given, size=size)["image"].numpy(), self.period)
        yield "ratio", ratio
        yield "z", z


def seams(images: np.ndarray, period: int) -> tuple[float, float]:
    """The ratio and its distance from 1 in standard errors; see `Seams`.

    Args:
        images: [n, h, w, c].
        period: pixels between two seams, from the border on.
    """
    changes, is_seam = [], []
    for axis in (1, 2):
        change = np.abs(np.diff(images, axis=axis)).mean(axis=tuple({0, 1, 2, 3} - {axis}))
        changes.append(change)
        is_seam.append((np.arange(len(change)) + 1) % period == 0)
    change, here = np.concatenate(changes), np.concatenate(is_seam)
    there = change[~here].mean()
    ratio = change[here].mean() / there
    return float(ratio), float((ratio - 1) * there / (change[~here].std() / np.sqrt(here.sum())))
