"""Everything that conformance tests ask: all algorithms, nets, kernels and sources, found by listing files."""

import dataclasses
import importlib
import inspect
import pathlib
import pkgutil

import keras
import tensorflow as tf

import tfgen.algorithms
import tfgen.nets
import tfgen.samplers
from tfgen import random
from tfgen.algorithms.base import Algorithm

ROOT = pathlib.Path(tfgen.algorithms.__file__).parents[2]
SOURCES = sorted((ROOT / "tfgen").rglob("*.py"))
FLAGFILES = sorted((ROOT / "trainers" / "flagfiles").glob("*.flags"))
ALGORITHMS = sorted(m.name for m in pkgutil.iter_modules(tfgen.algorithms.__path__) if m.name != "base")
KERNELS = [k for k in vars(tfgen.samplers).values() if dataclasses.is_dataclass(k)]
ROLES = ("energy",)
NETS = sorted(
    (module.name, role)
    for module in pkgutil.iter_modules(tfgen.nets.__path__)
    for role in ROLES
    if hasattr(importlib.import_module(f"tfgen.nets.{module.name}"), role)
)
SHAPES = {"toy": (1, 1, 2), "prototype": (6, 6, 1), "generative_convnet_digits": (8, 8, 1)}
"""Image shapes that a family is tested on; others take 32x32 in colour."""


def algorithm_class(name):
    """The one subclass of Algorithm that a file defines."""
    module = importlib.import_module(f"tfgen.algorithms.{name}")
    own = [c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == module.__name__]
    (found,) = [c for c in own if issubclass(c, Algorithm)]
    return found


def net(family, role="energy", **options):
    """A small net, seeded, and its image shape."""
    keras.utils.set_random_seed(0)
    shape = SHAPES.get(family, (32, 32, 3))
    function = getattr(importlib.import_module(f"tfgen.nets.{family}"), role)
    return function(shape, width=0.2, **options), shape


def build(name, outputs=3):
    """An algorithm on a small net with classes, which every algorithm can use."""
    energy, shape = net("generative_convnet_digits", outputs=outputs)
    algorithm = algorithm_class(name)(energy, image_shape=shape, image_mean=[0.0], seed=1)
    algorithm.compile({"energy": keras.optimizers.SGD(0.01)})
    return algorithm


def batch(count=6, shape=(8, 8, 1), classes=3):
    """Labelled pictures."""
    index = tf.range(count, dtype=tf.int64)
    return {"image": tf.tanh(random.normal([count, *shape], random.root(2))), "index": index, "label": index % classes}


def kernel(cls):
    """With a step of a tenth and defaults else."""
    return cls(0.1)
