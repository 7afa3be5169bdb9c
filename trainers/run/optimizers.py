"""A role's optimizer and its learning rate over the steps."""

import math
from typing import NamedTuple

import keras
import tensorflow as tf
from absl import flags

from tfgen.errors import UserError
from tfgen.training.algorithm import Transform


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises to its height, falls in stairs, then linearly to zero; a guard may lower it all.

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
        self.factor = keras.Variable(
            1.0, trainable=False, aggregation="only_first_replica", name="rate_factor"
        )

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        stairs = self.decay ** tf.floor(step / self.decay_steps)
        rise = tf.minimum(1.0, (step + 1) / max(self.warmup_steps, 1))
        fall = 1.0
        if self.fall_start < self.total_steps:
            fall = (self.total_steps - step) / (self.total_steps - self.fall_start)
        return (
            self.rate
            * stairs
            * rise
            * tf.clip_by_value(fall, 0.0, 1.0)
            * tf.convert_to_tensor(self.factor)
        )


class Updates(NamedTuple):
    """How a role's net is updated."""

    schedule: Schedule
    optimizer: keras.optimizers.Optimizer
    transform: Transform | None
    """Of each clipped gradient; None leaves it."""


def build(values: flags.FlagValues, role: str) -> Updates:
    """How a role's net is updated, from its flags."""

    def of(name):
        return values[f"{role}.{name}"].value

    if not math.isfinite(of("learning_rate")):
        raise UserError(
            f"--{role}.learning_rate: expected a finite number and found {of('learning_rate')}"
        )

    schedule = Schedule(
        of("learning_rate"),
        of("decay"),
        of("decay_steps"),
        of("warmup_steps"),
        values.steps,
        of("constant_fraction"),
    )
    options = {"global_clipnorm": of("clip_norm") or None}
    if of("ema"):
        options |= {"use_ema": True, "ema_momentum": of("ema"), "ema_overwrite_frequency": None}
    if of("optimizer") == "sgd":
        optimizer = keras.optimizers.SGD(schedule, momentum=of("momentum"), **options)
    else:
        optimizer = keras.optimizers.Adam(
            schedule, beta_1=of("beta_1"), beta_2=of("beta_2"), **options
        )
    return Updates(schedule, optimizer, _l2(of("l2")) if of("l2") else None)


def _l2(rate: float) -> Transform:
    """The gradient of rate |w|² / 2 added: what PyTorch's Adam calls weight decay."""
    return lambda gradient, variable: gradient + rate * tf.cast(variable.value, gradient.dtype)
