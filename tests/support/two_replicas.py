"""Trains on one processor and on two logical ones, and prints the results as JSON.

test_replicas.py compares them.
"""

import json
import sys
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

processors = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], processors)

import linear_gaussian  # noqa: E402 - after the devices are configured

from tfgen import random  # noqa: E402
from tfgen.algorithms.abp import ABP  # noqa: E402
from tfgen.algorithms.divergence_triangle import ROLES, DivergenceTriangle  # noqa: E402
from tfgen.algorithms.generative_convnet import GenerativeConvNet  # noqa: E402
from tfgen.data.examples import Examples  # noqa: E402
from tfgen.models.chains import Chains  # noqa: E402
from tfgen.nets.families import generative_convnet_object  # noqa: E402

SHAPE = (8, 8, 1)
PICTURES = Examples(np.tanh(np.random.default_rng(0).normal(size=(20, *SHAPE))).astype(np.float32))


def build(strategy, **options):
    """Returns an algorithm made inside a strategy's scope."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        net = generative_convnet_object.energy(SHAPE, width=0.1)
        for weight in net.trainable_variables:
            weight.assign(8 * weight.value + 0.01)
        algorithm = GenerativeConvNet(
            net, image_shape=SHAPE, image_mean=[0.0], sigma=0.5, step_size=0.1, chains=4, **options
        )
        algorithm.compile({"energy": keras.optimizers.SGD(0.3)})
    return algorithm


def train(strategy, num_steps=3, **options):
    """Makes three updates with batches of 8 in all."""
    algorithm = build(strategy, **options)
    traces = []
    update = algorithm.update
    algorithm.update = lambda batch, seed: (
        traces.append(batch["image"].shape) or update(batch, seed)
    )
    with strategy.scope():
        algorithm.fit(
            PICTURES.batches(8, random.root(0)), steps_per_epoch=num_steps, verbose=0, shuffle=False
        )
    return algorithm, [list(shape) for shape in traces]


def copies(algorithm):
    """Returns the chains as each replica holds them."""
    return [v.numpy().tolist() for v in algorithm.model.persistent_chains.state.value.values]


def weights(algorithm):
    """Returns all weights as one flat list."""
    return np.concatenate([w.numpy().ravel() for w in algorithm.nets["energy"].weights]).tolist()


def missing_a_pixel():
    """Returns twenty images, each without one pixel."""
    rng = np.random.default_rng(0)
    image = np.tanh(rng.normal(size=(20, *linear_gaussian.SHAPE))).astype(np.float32)
    return Examples(
        image, mask=(np.arange(4) != rng.integers(4, size=(20, 1))).reshape(image.shape)
    )


def copies_of(variable):
    """Returns a variable's value as each replica holds it."""
    value = variable.value
    copies = value.values if isinstance(value, tf.distribute.DistributedValues) else [value]
    return [copy.numpy() for copy in copies]


def train_incomplete(strategy, cls, roles, num_steps=4, **options):
    """Returns the matrices and memories of an algorithm after updates on incomplete images.

    All draws are alike for every image.
    """
    same = mock.patch.object(
        random,
        "normal",
        lambda shape, *_, **__: tf.broadcast_to(tf.linspace(-1.0, 1.5, shape[-1]), shape),
    )
    with strategy.scope():
        algorithm = linear_gaussian.build(cls, roles, 0.05, num_incomplete=20, **options)
        with same:
            algorithm.fit(
                missing_a_pixel().batches(8, random.root(0)),
                steps_per_epoch=num_steps,
                verbose=0,
                shuffle=False,
            )
    rows = [np.stack(copies_of(memory.rows)) for memory in MEMORIES[cls](algorithm)]
    named = [algorithm.nets[role].named for role in roles]
    matrices = [v.numpy().ravel() for matrices in named for v in matrices.values()]
    return {
        "matrices": np.concatenate(matrices).tolist(),
        "memories": [r.astype(float).tolist() for r in rows],
    }


MEMORIES = {
    DivergenceTriangle: lambda algorithm: [algorithm.missing],
    ABP: lambda algorithm: [algorithm.missing, algorithm.latents],
}
INCOMPLETE = {
    "divergence_triangle": (DivergenceTriangle, ROLES, {"sigma": 0.4, "temperature": 0.7}),
    "abp": (ABP, ("generator",), {"train_size": 20, "langevin_steps": 2, "inference_steps": 1}),
}

alone = tf.distribute.get_strategy()
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def updates():
    """Returns results of contrastive divergence without noise, and of persistent chains."""
    quiet = {
        "contrastive_divergence": True,
        "temperature": 0.0,
        "map_area_normalization": True,
        "max_gradient": 0.05,
    }
    one, _ = train(alone, **quiet)
    two, shapes = train(mirrored, **quiet)
    chains, _ = train(mirrored)
    state = chains.model.persistent_chains.state
    (saved,) = [weight for weight in chains.weights if weight is state]
    refused = ""
    try:
        with mirrored.scope():
            Chains(3, SHAPE)
    except ValueError as error:
        refused = str(error)
    return {
        "start": weights(build(alone, **quiet)),
        "one": weights(one),
        "two": weights(two),
        "shapes": shapes,
        "step": int(two.step.numpy()),
        "chains": copies(chains),
        "saved": saved.numpy().tolist(),
        "refused": refused,
    }


def incomplete():
    """Returns results of each algorithm for incomplete images, on one replica and on two."""
    return {
        name: [train_incomplete(strategy, cls, roles, **options) for strategy in (alone, mirrored)]
        for name, (cls, roles, options) in INCOMPLETE.items()
    }


json.dump({"updates": updates, "incomplete": incomplete}[sys.argv[1]](), sys.stdout)
