"""A role's optimizer and its learning rate over the steps."""

import keras
import tensorflow as tf
from absl import flags


@keras.saving.register_keras_serializable("tfgen")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that falls in stairs, then linearly to zero, times a factor that a guard may lower.

    Args:
        rate: the first learning rate, positive.
        decay: factor every `decay_steps` updates.
        decay_steps: see decay.
        total_steps: updates in all.
        constant_fraction: share of these before the linear fall.
    """

    def __init__(self, rate: float, decay: float, decay_steps: int, total_steps: int, constant_fraction: float):
        self.config = {
            "rate": rate,
            "decay": decay,
            "decay_steps": decay_steps,
            "total_steps": total_steps,
            "constant_fraction": constant_fraction,
        }
        self.factor = keras.Variable(1.0, trainable=False, aggregation="only_first_replica", name="rate_factor")

    def __call__(self, step):
        c = self.config
        step = tf.cast(step, tf.float32)
        stairs = c["decay"] ** tf.floor(step / c["decay_steps"])
        start = c["constant_fraction"] * c["total_steps"]
        fall = tf.clip_by_value((c["total_steps"] - step) / max(c["total_steps"] - start, 1.0), 0.0, 1.0)
        return c["rate"] * stairs * fall * tf.convert_to_tensor(self.factor)

    def get_config(self):
        return self.config


def build(values: flags.FlagValues, role: str) -> keras.optimizers.Optimizer:
    """The optimizer of a role, from its flags."""

    def of(name):
        return values[f"{role}.{name}"].value

    schedule = Schedule(
        of("learning_rate"), of("decay"), of("decay_steps"), values.steps, of("constant_fraction")
    )
    average = {"use_ema": True, "ema_momentum": of("ema"), "ema_overwrite_frequency": None} if of("ema") else {}
    if of("optimizer") == "sgd":
        return keras.optimizers.SGD(schedule, momentum=of("momentum"), **average)
    return keras.optimizers.Adam(schedule, beta_1=of("beta_1"), beta_2=of("beta_2"), **average)
