"""All net families, found by listing files, and small nets of each."""

import importlib
import inspect
import pkgutil

import keras
import pytest

import tfgen.nets.families
from tfgen import random

SHAPES = {
    "generative_convnet_dynamic": (8, 16, 16, 3),
    "triangle_dynamic": (16, 16, 16, 3),
    "toy": (1, 1, 2),
    "prototype": (6, 6, 1),
    "generative_convnet_digits": (8, 8, 1),
    "triangle_digits": (8, 8, 1),
    "dcgan_digits": (8, 8, 1),
    "convnet_classifier": (8, 8, 1),
    "winn": (8, 8, 1),
    "triangle_progressive": (8, 8, 1),
}
"""Image shapes that a family is tested on; others take 32x32 in colour."""


def net_function(family, role):
    """Returns the function that builds a role's net."""
    return getattr(importlib.import_module(f"tfgen.nets.families.{family}"), role)


def net_functions(family):
    """Returns the roles of a family's nets: the functions that take an image's shape first."""
    module = importlib.import_module(f"tfgen.nets.families.{family}")
    functions = {
        n: f for n, f in inspect.getmembers(module, inspect.isfunction) if not n.startswith("_")
    }
    own = {n: inspect.signature(f) for n, f in functions.items()}
    return {
        n for n, signature in own.items() if next(iter(signature.parameters), None) == "image_shape"
    }


FAMILIES = {
    m.name: found
    for m in pkgutil.iter_modules(tfgen.nets.families.__path__)
    if (found := net_functions(m.name))
}
NETS = sorted((family, role) for family, found in FAMILIES.items() for role in found)


REPRESENTATIVES = {
    ("generative_convnet_digits", "energy"),
    ("residual32", "energy"),
    ("triangle_digits", "generator"),
    ("triangle_digits", "inference"),
    ("dcgan_digits", "discriminator"),
    ("triangle_digits", "joint_discriminator"),
    ("winn", "discriminator"),
    ("convnet_classifier", "classifier"),
    ("generative_convnet_dynamic", "energy"),
    ("triangle_dynamic", "generator"),
    ("triangle_progressive", "energy"),
    ("triangle_progressive", "generator"),
    ("triangle_progressive", "inference"),
}
"""A small net of each architecture, of which the fast suite asks what the slow one asks of all."""


def per_architecture(*roles):
    """Returns cases of (family, role), slow but for one of each architecture.

    Args:
        roles: of the nets; none: all.
    """
    return [
        pytest.param(
            family, role, marks=[] if (family, role) in REPRESENTATIVES else [pytest.mark.slow]
        )
        for family, role in NETS
        if not roles or role in roles
    ]


def of(role):
    """Returns the families that have a net for a role."""
    return [family for family, found in NETS if found == role]


def shape_of(family):
    """Returns the shape of the images that a family is tested on."""
    return SHAPES.get(family, (32, 32, 3))


def inputs(net, role, count=2):
    """Returns a batch of what a net of a role takes: images, latents, or a pair of both."""
    images, latents = (
        random.normal([count, *sides], random.root(0))
        for sides in (net.image_shape, vars(net).get("latent_shape", ()))
    )
    return {"generator": latents, "joint_discriminator": (images, latents)}.get(role, images)


def net(family, role="energy", policy="float32", **options):
    """Returns a small net, seeded, and its image shape."""
    keras.utils.set_random_seed(0)
    shape = shape_of(family)
    keras.config.set_dtype_policy(policy)
    try:
        found = net_function(family, role)(shape, width=0.2, **options)
    finally:
        keras.config.set_dtype_policy("float32")
    if found.fade is not None:
        found.fade.assign(0.5)  # the two newest levels count
    return found, shape
