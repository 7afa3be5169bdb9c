"""Maps over arrays, a minibatch at a time: memory does not grow with the number of images."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

Progress = Callable[[str, int, int], None]
"""Called with the name of the work, the number of rows done, and their total."""


def no_progress(work: str, done: int, total: int) -> None:
    """Ignores a report of progress."""


@dataclasses.dataclass(frozen=True)
class MinibatchMap:
    """A map of arrays by compiled functions of minibatches.

    Args:
        size: rows of a minibatch, at least 1.
        jit: whether XLA compiles the functions.
        progress: called after each minibatch.

    Example:
        >>> rows = np.arange(5, dtype=np.float32)
        >>> MinibatchMap(size=2).map("doubles", lambda x: (2 * x,), rows)
        (array([0., 2., 4., 6., 8.], dtype=float32),)
    """

    size: int = 200
    jit: bool = False
    progress: Progress = no_progress

    def grouped(self, images: int) -> "MinibatchMap":
        """Returns a map for rows that consist of several images each.

        Args:
            images: of a row, at least 1; as many rows are taken at a time as keep `size` images.
        """
        return dataclasses.replace(self, size=max(1, self.size // images))

    def map(self, work: str, function: Callable, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        """Applies a function to arrays.

        The function is traced once, for minibatches of one size: the last one is filled up by
        repeating its last row.

        Args:
            work: what the function computes, for reports of progress.
            function: of tensors [b, ...], one for each array, to a tuple of tensors [b, ...].
            arrays: [n, ...] each, n at least 1.

        Returns:
            Arrays [n, ...], one for each tensor that the function returns.
        """
        total = len(arrays[0])
        size = min(self.size, total)
        specs = [tf.TensorSpec((size, *array.shape[1:]), array.dtype) for array in arrays]
        traced = tf.function(function, input_signature=specs, autograph=False, jit_compile=self.jit)
        found = []
        for start in range(0, total, size):
            num = min(size, total - start)
            parts = [_filled(array[start : start + num], size) for array in arrays]
            outputs = traced(*parts)
            found.append([output.numpy()[:num] for output in outputs])
            self.progress(work, start + num, total)
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _filled(rows: np.ndarray, size: int) -> tf.Tensor:
    """Repeats the last row until there are as many rows as asked for."""
    rest = rows[-1:].repeat(size - len(rows), axis=0)
    return tf.constant(np.concatenate([rows, rest]))
