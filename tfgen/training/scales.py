"""Scales of a picture that are learned one after the other."""

from typing import Protocol

import keras


class Scaled(Protocol):
    """An algorithm that learns scale by scale.

    Attributes:
        scale: the one that is learned, from 0; a trained graph is of one scale.
        scales: how many.
        scale_updates: updates of a scale; the last one goes on.
        num_updates: updates made.
    """

    scale: int
    scales: int
    scale_updates: int
    num_updates: int

    def make_train_function(self, force: bool = False): ...


class Scales(keras.callbacks.Callback):
    """Goes on to the next scale after so many updates.

    The scale is a function of the step, so that a resumed run stands where it stood.

    Args:
        algorithm: that learns scale by scale.
    """

    def __init__(self, algorithm: Scaled):
        super().__init__()
        self.algorithm = algorithm

    def on_train_begin(self, logs=None):
        self._follow()

    def on_train_batch_begin(self, batch, logs=None):
        if self.algorithm.num_updates % self.algorithm.scale_updates == 0:
            self._follow()

    def _follow(self) -> None:
        algorithm = self.algorithm
        scale = min(algorithm.num_updates // algorithm.scale_updates, algorithm.scales - 1)
        if scale != algorithm.scale:
            algorithm.scale = scale
            # the graph traced before is of the scale before
            algorithm.make_train_function(force=True)
