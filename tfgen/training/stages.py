"""When a stage of classification is over, and samples are synthesized for the next."""

import keras
import tensorflow as tf

from tfgen import random


class Stages(keras.callbacks.Callback):
    """Ends a stage when its classifier has learned, or after its most updates.

    Args:
        algorithm: with the mean `loss` of its last `loss_window` updates so far, the updates `into_stage`, the bounds
            `stop_loss` and `stage_updates` on them, and `synthesize`, which begins the next stage.

    Source: INNg, Algorithm 1 and section 4.1.
    """

    def __init__(self, algorithm: keras.Model):
        super().__init__()
        self.algorithm = algorithm
        self.synthesize = tf.function(
            self._synthesize, autograph=False, jit_compile=algorithm.jit_compile
        )

    def on_train_batch_end(self, batch, logs=None):
        algorithm = self.algorithm
        updates = int(algorithm.into_stage.numpy())
        if updates % algorithm.loss_window and updates < algorithm.stage_updates:
            return
        learned = (
            float(algorithm.loss.numpy()) <= algorithm.stop_loss
            and updates % algorithm.loss_window == 0
        )
        algorithm.loss.assign(0.0)
        if learned or updates >= algorithm.stage_updates:
            self.synthesize()

    def _synthesize(self) -> None:
        with random.compiled(self.algorithm.jit_compile):
            tf.distribute.get_strategy().run(self.algorithm.synthesize)
