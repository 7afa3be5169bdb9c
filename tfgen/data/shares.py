"""Parts of a batch, each of which one of several workers reads."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

Own = Callable[[tf.Tensor], tf.Tensor]
"""Cuts a part out of a vector with an entry for each example of a batch."""


@dataclasses.dataclass(frozen=True)
class Share:
    """The parts of each batch that one of several workers takes.

    Attributes:
        parts: equal parts that a batch has.
        first: the first one of this worker, from 0.
        count: how many it takes, at least 1.
    """

    parts: int = 1
    first: int = 0
    count: int = 1

    def of(self, number: tf.Tensor, batch_size: int) -> tuple[tf.Tensor, Own]:
        """Returns the step of a part, and the function that cuts it out.

        Args:
            number: of the part among those of this worker, int64.
            batch_size: of the whole batch, a multiple of the parts.
        """
        if self.parts == 1:
            return number, lambda values: values
        size = batch_size // self.parts
        begin = (self.first + number % self.count) * size
        return number // self.count, lambda values: tf.slice(values, [begin], [size])
