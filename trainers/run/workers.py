"""What the processes of a run tell each other: the first, the chief, decides and writes."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.training import replicas

FRAME = 256
"""Bytes of a message, or a multiple: few lengths need few graphs."""

Found = TypeVar("Found")
"""What JSON can hold."""


class Workers:
    """The processes that share each update.

    All of them call each method alike and in the same order, since each waits for the others.

    Args:
        strategy: of the run.

    Attributes:
        several: whether there is more than this process.
        is_chief: whether this process decides and writes.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.several = replicas.has_workers(strategy)
        self.is_chief = True
        if self.several:
            resolver = strategy.cluster_resolver
            self.is_chief = resolver.task_id in (None, 0)
        self._graph = tf.function(self._exchanged, autograph=False)

    def largest(self, number: int) -> int:
        """Returns the largest of the workers' numbers."""
        if not self.several:
            return number
        return int(self._rows(np.array([number], np.int32)).max())

    def alike(self, text: str) -> bool:
        """Returns whether all workers have the chief's text."""
        return not self.largest(int(self.told(text) != text))

    def told(self, found: Found) -> Found:
        """Returns what the chief has found, on all workers.

        Args:
            found: what JSON can hold; only the chief's counts.
        """
        if not self.several:
            return found
        text = json.dumps(found).encode() if self.is_chief else b""
        size = self.largest(len(text))
        row = np.zeros(-(-size // FRAME) * FRAME, np.int32)
        row[: len(text)] = np.frombuffer(text, np.uint8)
        return json.loads(bytes(self._rows(row)[0][:size].tolist()))

    def led(self, action: Callable[[], Found]) -> Found:
        """Returns what the chief alone does, on all workers.

        Raises:
            UserError: on all others, if the chief's action fails.
        """
        if not self.several:
            return action()
        found: Any = None
        failure = None
        if self.is_chief:
            try:
                found = action()
            except Exception as error:  # told to the others, then raised
                failure = error
        failed, told = self.told((failure is not None, found))
        if failure is not None:
            raise failure
        if failed:
            raise UserError("the first worker has failed; its own message says why")
        return told

    def _rows(self, row: np.ndarray) -> np.ndarray:
        """Returns the rows of all replicas, [replicas, n]."""
        return self._graph(tf.constant(row)).numpy()

    def _exchanged(self, row: tf.Tensor) -> tf.Tensor:
        gathered = self.strategy.run(lambda: replicas.gathered(row[tf.newaxis]))
        return self.strategy.experimental_local_results(gathered)[0]
