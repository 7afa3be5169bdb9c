"""Stages of classification, after each of which samples are synthesized for the next."""

from typing import Protocol

import keras
import tensorflow as tf

from tfgen import random


class Staged(Protocol):
    """An algorithm that trains in stages.

    Attributes:
        into_stage: updates of the present stage, a variable.
        loss: mean loss in inference mode of its last `loss_window` updates so far, a variable.
        loss_window: updates.
        stop_loss: the mean loss that ends a stage.
        stage_updates: the most updates of a stage.
        finished: whether all stages are over.
        jit_compile: whether XLA compiles its graphs.
    """

    into_stage: keras.Variable
    loss: keras.Variable
    loss_window: int
    stop_loss: float
    stage_updates: int
    jit_compile: bool

    @property
    def finished(self) -> bool: ...

    def synthesize(self) -> None:
        """Ends the stage and begins the next one."""


class Stages(keras.callbacks.Callback):
    """Ends a stage when its classifier has learned, or after its most updates.

    Args:
        algorithm: that trains in stages.

    Source: INNg, Algorithm 1 and section 4.1.
    """

    def __init__(self, algorithm: Staged):
        super().__init__()
        self.algorithm = algorithm
        self.synthesize = tf.function(
            self._synthesize, autograph=False, jit_compile=algorithm.jit_compile
        )

    def on_train_batch_end(self, batch, logs=None):
        algorithm = self.algorithm
        updates = int(algorithm.into_stage.numpy())
        window_over = updates % algorithm.loss_window == 0
        stage_over = updates >= algorithm.stage_updates
        if not window_over and not stage_over:
            return
        # the mean of a window that is not over yet would be too low
        learned = window_over and float(algorithm.loss.numpy()) <= algorithm.stop_loss
        algorithm.loss.assign(0.0)
        if learned or stage_over:
            self.synthesize()
        if algorithm.finished:
            self.model.stop_training = True

    def _synthesize(self) -> None:
        # by the strategy, since variables of the algorithm have a copy on each replica
        with random.compiled(self.algorithm.jit_compile):
            tf.distribute.get_strategy().run(self.algorithm.synthesize)
