"""Schedules over the updates of an algorithm: of learning rates, step sizes and temperatures."""

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule


class Schedule(LearningRateSchedule):
    """A rate that rises linearly, falls in stairs, then linearly to zero; a guard may lower it all.

    Args:
        rate: the first learning rate, positive.
        decay: factor every `decay_steps` updates.
        decay_steps: see decay.
        warmup_steps: updates over which the rate rises linearly.
        total_steps: updates in all.
        constant_fraction: share of these before the linear fall.

    Attributes:
        factor: a variable, 1 until a guard lowers it.
    """

    def __init__(
        self,
        rate: float,
        *,
        decay: float,
        decay_steps: int,
        warmup_steps: int,
        total_steps: int,
        constant_fraction: float,
    ):
        self.rate = rate
        self.decay = decay
        self.decay_steps = decay_steps
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps
        self.fall_start = constant_fraction * total_steps
        # a variable, so that a guard can lower the rate without a new graph
        self.factor = keras.Variable(
            1.0, trainable=False, aggregation="only_first_replica", name="rate_factor"
        )

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        stairs = self.decay ** tf.floor(step / self.decay_steps)
        # from step + 1: a rate of 0 would waste the first update
        rise = tf.minimum(1.0, (step + 1) / max(self.warmup_steps, 1))
        fall = 1.0
        if self.fall_start < self.total_steps:
            fall = (self.total_steps - step) / (self.total_steps - self.fall_start)
        factor = tf.convert_to_tensor(self.factor)
        return self.rate * stairs * rise * tf.clip_by_value(fall, 0.0, 1.0) * factor


class PerUpdate(LearningRateSchedule):
    """A schedule that counts updates of an algorithm, not steps of the optimizer that asks it.

    Args:
        schedule: of updates.
        step: the updates made, a variable.
    """

    def __init__(self, schedule: LearningRateSchedule, step: keras.Variable):
        self.schedule = schedule
        self.step = step

    def __call__(self, step):
        del step
        return self.schedule(self.step.value)

    @classmethod
    def count_updates(cls, optimizer: keras.optimizers.Optimizer, step: keras.Variable) -> None:
        """Makes an optimizer's schedule, if it has one, count the updates in `step`."""
        # the public `learning_rate` is the schedule's value, not the schedule
        schedule = optimizer._learning_rate
        if isinstance(schedule, cls):  # compiled before, perhaps with another counter
            schedule = schedule.schedule
        if isinstance(schedule, LearningRateSchedule):
            optimizer.learning_rate = cls(schedule, step)


def geometric(first: float, last: float, step: tf.Tensor, total: int) -> tf.Tensor:
    """Returns a value that goes geometrically from `first` to `last` over `total` updates.

    Args:
        first: the value at update 0, positive.
        last: the value from update `total` on, positive.
        step: updates made.
        total: updates, at least 1.
    """
    share = tf.minimum(tf.cast(step, tf.float32) / total, 1.0)
    return first * (last / first) ** share
