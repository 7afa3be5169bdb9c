"""A model of one number, with a task and an input that nothing outside of it has heard of."""

import tensorflow as tf

from tfgen import random
from tfgen.models import Model, inputs, task
from tfgen.models.conditions import Check
from tfgen.models.inputs import Input

DAYS = Check("days from 1 to 366", lambda day: (day >= 1) & (day <= 366))


class Weather(Model):
    """Images that are lit by the day of the year.

    Args:
        image_shape: height, width, channels.
        num_classes: of the images.
        on_trace: called whenever `forecast` is traced.
    """

    def __init__(self, image_shape=(8, 8, 1), num_classes=1, sampling=None, on_trace=id):
        super().__init__({}, image_shape=image_shape, num_classes=num_classes, sampling=sampling)
        self.on_trace = on_trace
        self.light = self.add_weight(shape=(), initializer="ones", name="light")

    def inputs(self) -> dict[str, Input]:
        day = Input(
            "day",
            (),
            tf.int32,
            "the day of the year",
            check=DAYS,
            default=None if self.num_classes == 1 else 1,
            example=7,
        )
        declared = [inputs.image(self.image_shape), day, inputs.seed()]
        if self.num_classes > 1:
            declared.append(inputs.label(self.num_classes))
        return {known.name: known for known in declared}

    def unable(self) -> set[str]:
        return set() if self.num_classes > 1 else {"energy"}

    @task("image", "warmth")
    def forecast(self, image, day, seed):
        """Lights images by the day, with a little noise, and says how warm it is."""
        self.on_trace(image)
        warmth = tf.cast(day, tf.float32) / 366
        noise = 0.01 * random.normal(tf.shape(image), seed)
        lit = image * self.light.value * warmth[:, None, None, None]
        return tf.clip_by_value(lit + noise, -1.0, 1.0), warmth

    @task("energy")
    def energy(self, image, label):
        """Computes an energy that grows by 1 from class to class."""
        return tf.reduce_sum(image, axis=[1, 2, 3]) + tf.cast(label, tf.float32)
