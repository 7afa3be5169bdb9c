"""Small models with latent vectors, untrained, their weights as far from zero as trained ones."""

import math
import pathlib

import numpy as np
import pytest

from support import command_line
from tfgen.models import LatentModel
from trainers.run import catalogue
from trainers.run.experiment import Experiment

SMALL = ("--nets=triangle_digits", "--dataset=digits")
TEXTURE = (
    "--nets=triangle_texture",
    "--dataset=textures/brick",
    "--image_size=64",
    "--patch_size=32",
    "--test_fraction=0.5",
)

KINDS = {
    "divergence_triangle": SMALL,
    "vae": SMALL,
    "abp": (*SMALL, "--abp.inference_steps=5"),
    # a map of latents, and images of any size
    "texture": ("--algorithm=divergence_triangle", *TEXTURE),
    "wake_sleep": SMALL,
    "acd": (*SMALL, "--energy.spectral_norm", "--energy.batch_norm", "--energy.activation=swish"),
}
"""An algorithm each, by name unless the flags name another."""


def every(*fast: str) -> list:
    """Returns all kinds, of which only some are tested every time."""
    return [pytest.param(kind, marks=() if kind in fast else pytest.mark.slow) for kind in KINDS]


def build(kind: str, workdir: pathlib.Path) -> LatentModel:
    """Returns the model of an algorithm of a kind, with nets of an eighth of their width."""
    chosen = (f"--algorithm={kind}", *KINDS[kind], f"--workdir={workdir}")
    name = command_line.values("trainers.main", *chosen).algorithm
    smaller = [f"--{role}.width=0.125" for role in catalogue.roles(name)]
    smaller.append(f"--{name}.completion_rounds=2")
    values = command_line.values("trainers.main", *chosen, *smaller)
    model = Experiment(values).algorithm.model
    rng = np.random.default_rng(1)
    for role in catalogue.roles(name):
        for variable in model.nets[role].weights:
            # running variances stay positive; sums over a kernel's inputs stay of order 1
            size = 0.3
            if len(variable.shape) == 4:
                size = 1.5 / math.sqrt(math.prod(variable.shape) / max(variable.shape[2:]))
            grown = variable * (1 + 0.3 * rng.uniform())
            variable.assign(grown + size * rng.uniform(-1, 1, variable.shape))
    return model


def given(model: LatentModel, batch: int = 3) -> dict[str, np.ndarray]:
    """Returns inputs of all endpoints, by name."""
    rng = np.random.default_rng(0)
    shape, latent = model.image_shape, model.generator.latent_shape
    first, second = rng.uniform(-1, 1, (2, batch, *shape)).astype(np.float32)
    return {
        "image": first,
        "first": first,
        "second": second,
        "mask": (rng.uniform(size=(batch, *shape[:2], 1)) < 0.5).astype(np.float32),
        "latent": rng.standard_normal((batch, *latent)).astype(np.float32),
        "position": np.linspace(0.2, 0.9, batch, dtype=np.float32),
        "spherical": np.array(True),
        "draws": np.int32(5),
        "seed": np.array([3, 4], np.int32),
        "size": np.array([40, 70], np.int32),
        "num_steps": np.int32(3),
    }
