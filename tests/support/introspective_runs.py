"""A small introspective network, and what each of its stages leaves behind."""

import copy

import keras
import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.algorithms.introspective import Introspective
from tfgen.data import examples
from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.convolution.layers import Conv

SHAPE = (4, 4, 1)


def classifier(shape=SHAPE):
    """Returns a net of two layers of a few filters, with batch normalization in between."""
    convs = [
        Conv(4, 3, 1, 1, use_bias=False, initializer_scale=0.2),
        Conv(6, 4, use_bias=False, initializer_scale=0.2),
    ]
    return Discriminator(convs, Conv(1, (shape[0] - 3, shape[1] - 3), initializer_scale=0.2), shape)


def log_odds(weights, x):
    """Computes the log-odds of such a net with given weights, in inference mode."""
    net = classifier()
    net.set_weights(weights)
    return net(tf.constant(x), training=False).numpy()


def pictures(count=32, shape=SHAPE, bright=0.5):
    """Returns blurred noise about a brightness: easy to tell from white noise, but not at once."""
    x = np.random.default_rng(0).normal(bright, 0.3, (count, *shape))
    return np.tanh((x + np.roll(x, 1, axis=1)) / 2).astype(np.float32)


def build(*, shape=SHAPE, rate=0.05, patch=None, net=None, **options):
    """Returns a compiled algorithm, with few and short stages unless told otherwise."""
    keras.utils.set_random_seed(0)
    seen = (patch, patch, shape[-1]) if patch else shape
    given = {
        "stages": 3,
        "stage_updates": 4,
        "stop_loss": 0.0,
        "loss_window": 2,
        "samples": 5,
        "synthesis_steps": 6,
    }
    algorithm = Introspective(
        net or classifier(seen), image_shape=seen, seed=1, **(given | options)
    )
    algorithm.compile({"discriminator": keras.optimizers.SGD(rate)})
    return algorithm


def batch(count=8, shape=SHAPE):
    """Returns examples for one update."""
    return {"image": tf.constant(pictures(count, shape)), "index": tf.range(count, dtype=tf.int64)}


class Watch(keras.callbacks.Callback):
    """What is seen after each update, and at the end of each stage.

    Attributes:
        updates: (stage, updates into it, cross-entropy in inference mode) after each update.
        ends: by stage, the algorithm's numbers when it had ended, and the net's.
    """

    def __init__(self, algorithm):
        super().__init__()
        self.algorithm = algorithm
        self.updates, self.ends = [], []

    def on_train_batch_end(self, batch, logs=None):
        a, logs = self.algorithm, {n: float(v) for n, v in logs.items()}
        self.updates.append(
            (
                int(a.stage.numpy()),
                int(a.into_stage.numpy()),
                logs["cross_entropy_inference"],
            )
        )
        if len(self.ends) < self.updates[-1][0]:
            self.ends.append(
                {
                    "net": copy.deepcopy(a.model.discriminator.get_weights()),
                    "start": a.start.numpy().copy(),
                    "samples": a.negatives.newest(a.stage.value).numpy().copy(),
                    "steps": int(a.steps_taken.numpy()),
                    "kept": a.model.snapshots.num_kept,
                    "thresholds": a.model.thresholds.numpy().copy(),
                    "images_threshold": float(a.images_threshold.numpy()),
                    "updates": len(self.updates),
                }
            )


def fit(algorithm, steps=10_000, *, start=0, data=None, patch=None, size=8):
    """Trains until all stages are over, or for so many updates, each with numbers of its own."""
    loaded = examples.Examples(pictures() if data is None else data, patch_size=patch)
    watch = Watch(algorithm)
    algorithm.fit(
        loaded.batches(size, random.root(0), start),
        steps_per_epoch=1,
        epochs=steps,
        verbose=0,
        shuffle=False,
        callbacks=[watch],
    )
    return watch
