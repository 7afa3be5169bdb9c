"""All algorithms, nets and sources, found by listing files, for conformance tests."""

import functools
import importlib
import inspect
import pathlib
import pkgutil
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen.algorithms
from support.net_registry import (  # noqa: F401  asked for here by many tests
    FAMILIES,
    NETS,
    SHAPES,
    net,
    net_function,
    net_functions,
    of,
    shape_of,
)
from tfgen import random
from tfgen.evaluation.base import DensityEvaluator
from tfgen.training.algorithm import Algorithm
from trainers import evaluate
from trainers.run import catalogue

ROOT = pathlib.Path(tfgen.algorithms.__file__).parents[2]
SOURCES = sorted((ROOT / "tfgen").rglob("*.py"))
FLAGFILES = sorted((ROOT / "trainers" / "flagfiles").glob("*.flags"))
ALGORITHMS = sorted(m.name for m in pkgutil.iter_modules(tfgen.algorithms.__path__))
GIVEN = catalogue.GIVEN
SMALL = ("generative_convnet_digits", "triangle_digits", "dcgan_digits")
"""Families that algorithms are tested on if they have the roles; else any other that has them."""
COUNT, CLASSES = 6, 3
"""Of the examples, and of what their labels tell apart."""
OUTPUTS = ("outputs", "classes", "num_classes")
"""What nets call the number of their classes."""
QUICK = 1
"""What hyperparameters are set to that count steps or rounds, if they are more."""


LIKE = {
    "acd": "divergence_triangle",
    "alice": "ali",
    "cegan": "divergence_triangle",
    "wake_sleep": "vae",
    "winn": "introspective",
}
"""Algorithms whose models have the same class, nets and tasks as another's."""


def per_model():
    """Returns cases of algorithms, slow where another algorithm has the same kind of model."""
    return [
        pytest.param(name, marks=[pytest.mark.slow] if name in LIKE else []) for name in ALGORITHMS
    ]


def algorithm_class(name):
    """Returns the one subclass of Algorithm that a file defines."""
    module = importlib.import_module(f"tfgen.algorithms.{name}")
    own = [
        c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == module.__name__
    ]
    (found,) = [c for c in own if issubclass(c, Algorithm)]
    return found


def parameters(name):
    """Returns an algorithm's hyperparameters by name."""
    return inspect.signature(algorithm_class(name)).parameters


def roles(name):
    """Returns the roles of the nets that an algorithm is given."""
    return [p.name for p in parameters(name).values() if p.kind is p.POSITIONAL_OR_KEYWORD]


DENSITIES = [
    cls
    for cls in evaluate.measurements().values()
    if issubclass(cls, DensityEvaluator) and cls.needs == DensityEvaluator.needs
]
"""The measurements of a density that ask for nothing but the energy."""

INCOMPLETE = [name for name in ALGORITHMS if "num_incomplete" in parameters(name)]
"""The algorithms that learn from images with missing pixels."""


def family_for(name):
    """Returns a family with a net for each of an algorithm's roles: its own, if it has one."""
    own = [name] if name in FAMILIES else []
    return next(f for f in (*own, *SMALL, *FAMILIES) if FAMILIES[f] >= set(roles(name)))


def build(name, **options):
    """Returns an algorithm on small nets.

    An algorithm of one net gets an output for each class, if there can be several. Options are
    given to the nets that have them.
    """
    family, nets = family_for(name), []
    for role in roles(name):
        known = inspect.signature(net_function(family, role)).parameters
        several = set(OUTPUTS) & set(known) if len(roles(name)) == 1 else ()
        given = {option: value for option, value in options.items() if option in known}
        nets.append(net(family, role, **dict.fromkeys(several, CLASSES), **given)[0])
    shape = shape_of(family)
    described = {"image_shape": shape, "image_mean": [0.0] * shape[-1], "seed": 1}
    known = {
        n: described.get(n, COUNT) for n in GIVEN if n in parameters(name)
    }  # the others are numbers of images
    algorithm = algorithm_class(name)(*nets, **known, **quick(name))
    algorithm.compile({role: keras.optimizers.SGD(0.01) for role in roles(name)})
    return algorithm


def quick(name):
    """Returns hyperparameters with fewer steps and rounds than by default."""
    found = {n: p.default for n, p in parameters(name).items() if n.endswith(("_steps", "_rounds"))}
    return {n: min(default, QUICK) for n, default in found.items()}


def batch(name, incomplete=False):
    """Returns labelled pictures for an algorithm.

    About half of their pixels are missing if they are incomplete.
    """
    shape = shape_of(family_for(name))
    index = tf.range(COUNT, dtype=tf.int64)
    found = {
        "image": tf.tanh(random.normal([COUNT, *shape], random.root(2))),
        "index": index,
        "label": index % CLASSES,
    }
    if incomplete:
        known = random.uniform([COUNT, *shape[:2], 1], random.root(3)) < 0.5
        found["mask"] = tf.cast(known, tf.float32)
        found["image"] *= found["mask"]
    return found


class Updated(NamedTuple):
    """An algorithm after one update with seed 0, its logs, and all numbers it keeps.

    The numbers are those before and after the update.
    """

    algorithm: Algorithm
    logs: dict[str, tf.Tensor]
    before: list[np.ndarray]
    after: list[np.ndarray]


@functools.cache
def updated(name, incomplete=False):
    """Makes an update that many tests look at, once."""
    algorithm = build(name)
    before = algorithm.get_weights()
    logs = algorithm.update(batch(name, incomplete), random.root(0))
    return Updated(algorithm, logs, before, algorithm.get_weights())
