"""Trains every algorithm on one replica, on two, or as one of two workers, and prints the losses.

test_every_algorithm_is_the_same_on_workers.py compares them. What is drawn does not depend on who
draws it.
"""

import json
import sys

import tensorflow as tf

KIND = sys.argv[1]
if KIND == "two":
    processors = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], processors
    )

from trainers.run import strategy  # noqa: E402 - after the devices are configured

STRATEGY = strategy.build({"two": "mirrored", "one": "one_device", "worker": "multi_worker"}[KIND])

import keras  # noqa: E402
import numpy as np  # noqa: E402

from support import placed_draws, registry  # noqa: E402
from tfgen import random  # noqa: E402
from tfgen.data.examples import Examples  # noqa: E402
from tfgen.data.shares import Share  # noqa: E402

UPDATES = 3


class Losses(keras.callbacks.Callback):
    """The means of the logged numbers after each update."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        values = {metric.name: float(metric.result()) for metric in self.model.metrics}
        self.found.append(values)


def batches(examples):
    """Returns batches of COUNT examples in all."""

    def of_worker(context):
        share = Share(context.num_replicas_in_sync, context.input_pipeline_id)
        return examples.batches(registry.COUNT, random.root(0), share=share)

    if KIND == "worker":
        return STRATEGY.distribute_datasets_from_function(of_worker)
    return examples.batches(registry.COUNT, random.root(0))


def train(name):
    """Returns the losses of an algorithm, and how far each weight of its nets has moved."""
    keras.utils.set_random_seed(0)
    given = registry.batch(name)
    examples = Examples(given["image"].numpy(), given["label"].numpy())
    with STRATEGY.scope(), placed_draws.placed():
        algorithm = registry.build(name)
        algorithm.compile({role: keras.optimizers.SGD(1e-4) for role in algorithm.nets})
        start = [v.numpy() for v in algorithm.trainable_variables]
        losses = Losses()
        algorithm.fit(batches(examples), steps_per_epoch=UPDATES, verbose=0, callbacks=[losses])
    ends = [v.numpy() for v in algorithm.trainable_variables]
    moved = [float(np.abs(b - a).sum()) for a, b in zip(start, ends, strict=True)]
    return {"losses": losses.found, "moved": moved}


names = sys.argv[2].split(",")
json.dump({name: train(name) for name in names}, sys.stdout)
