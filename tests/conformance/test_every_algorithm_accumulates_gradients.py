"""Every algorithm makes the same update of micro-batches as of its batch whole.

Nets have no batch statistics, and what is drawn does not depend on who draws it.
"""

import keras
import numpy as np
import pytest
from support import placed_draws, registry

from tfgen.algorithms.classifier import Classifier

PARTS = 2
FAST = {"generative_convnet", "wake_sleep"}
"""With chains of its own; of nets that learn in turn."""


def built(name):
    """Returns an algorithm whose nets have no batch statistics."""
    if name != "classifier":
        return registry.build(name, normalization="none")
    # the classifiers of the families cannot do without
    shape = registry.shape_of(registry.family_for(name))
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(registry.CLASSES)]
    return Classifier(keras.Sequential(layers), image_shape=shape)


def trained(name, accumulate):
    """Returns how far weights move in an update, what else is kept, and the logs."""
    keras.utils.set_random_seed(0)
    with placed_draws.placed():
        algorithm = built(name)
        # a step of sgd is proportional to the gradient; one of Adam hardly depends on its size
        optimizers = {role: keras.optimizers.SGD(1e-2) for role in algorithm.nets}
        algorithm.compile(optimizers, accumulate=accumulate)
        before = [v.numpy() for v in algorithm.trainable_variables]
        logs = algorithm.train_step(registry.batch(name))
    moved = [v.numpy() - b for v, b in zip(algorithm.trainable_variables, before, strict=True)]
    kept = [v.numpy() for v in algorithm.non_trainable_variables]
    return moved, kept, {name: float(value) for name, value in logs.items()}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow])
        for name in registry.ALGORITHMS
    ],
)
def test_every_algorithm_accumulates_gradients(name):
    """Weights move alike, also where nets learn in turn, and the logs are of the whole batch."""
    moved, kept, logs = trained(name, 1)
    others = trained(name, PARTS)
    assert max(np.abs(m).max() for m in moved) > 1e-5
    for ours, theirs in zip(moved, others[0], strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-3 * np.abs(ours).max() + 1e-7)
    for ours, theirs in zip(kept, others[1], strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4)
    assert others[2] == pytest.approx(logs, rel=1e-3, abs=1e-4)
