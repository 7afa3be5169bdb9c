"""Langevin dynamics on the energy of a net, as a file that any library can read."""

import json
import pathlib
from typing import NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A convolution with zeros around."""

    kernel: np.ndarray
    """[height, width, in, filters]"""
    bias: np.ndarray | None
    strides: int
    padding: int


class Workload(NamedTuple):
    """x ← x - ε²/2 dU/dx + ε z with U(x) = -f(y) + |y|² / 2 and y = x / sigma."""

    net: str
    """The family in tfgen."""
    layers: list[Layer]
    """From the image up; the activation follows each."""
    top: np.ndarray | None
    """f's filter over the last maps, [height, width, in, 1]; None where f is their sum."""
    activation: str
    """relu, swish or leaky_relu (of slope 0.2)."""
    sigma: float
    step_size: float
    start: np.ndarray
    """[chains, height, width, channels], float32."""
    steps: int
    """Langevin steps a timed run."""


SCALARS = ("net", "activation", "sigma", "step_size", "steps")


def write(path: pathlib.Path, workload: Workload) -> None:
    """Writes a workload as .npz."""
    arrays = {"start": workload.start} | ({} if workload.top is None else {"top": workload.top})
    for number, layer in enumerate(workload.layers):
        arrays[f"kernel{number}"] = layer.kernel
        if layer.bias is not None:
            arrays[f"bias{number}"] = layer.bias
    scalars = {name: getattr(workload, name) for name in SCALARS}
    places = [(layer.strides, layer.padding) for layer in workload.layers]
    np.savez(path, recipe=json.dumps(scalars | {"places": places}), **arrays)


def read(path: pathlib.Path | str) -> Workload:
    """What `write` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    recipe = json.loads(str(arrays["recipe"]))
    layers = [
        Layer(arrays[f"kernel{number}"], arrays.get(f"bias{number}"), strides, padding)
        for number, (strides, padding) in enumerate(recipe.pop("places"))
    ]
    return Workload(layers=layers, top=arrays.get("top"), start=arrays["start"], **recipe)
