"""A graph over many images, some at a time: memory does not grow with their number."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def unheard(what: str, done: int, total: int) -> None:
    """The Progress that nobody listens to."""


@dataclasses.dataclass(frozen=True)
class Batches:
    """How many images are worked on at a time, and who hears of it.

    Args:
        size: images of a batch, at least 1.
        jit: whether XLA compiles the work.
        progress: told after each batch.
    """

    size: int = 200
    jit: bool = False
    progress: Progress = unheard

    def of(self, images: int) -> "Batches":
        """Batches of things that are made of so many images each."""
        return dataclasses.replace(self, size=max(1, self.size // images))

    def map(self, what: str, function: Callable, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """What a function of batches makes of arrays.

        Args:
            what: is being done, for people to read.
            function: of tensors [b, ...] to a tuple of such; traced once, for batches of one size, of which the last is
                filled up by repeating its last row.
            arrays: [n, ...] each, n at least 1.

        Returns:
            Arrays [n, ...].
        """
        total = len(arrays[0])
        size = min(self.size, total)
        specs = [tf.TensorSpec((size, *a.shape[1:]), a.dtype) for a in arrays]
        traced = tf.function(function, input_signature=specs, autograph=False, jit_compile=self.jit)
        found = []
        for i in range(0, total, size):
            parts = [a[i : i + size] for a in arrays]
            rest = size - len(parts[0])
            filled = [np.concatenate([p, p[-1:].repeat(rest, axis=0)]) for p in parts]
            found.append([t.numpy()[: size - rest] for t in traced(*map(tf.constant, filled))])
            self.progress(what, min(i + size, total), total)
        return tuple(map(np.concatenate, zip(*found, strict=True)))
