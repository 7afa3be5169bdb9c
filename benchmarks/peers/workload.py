"""Work that several libraries are given, as a file that any of them can read."""

import json
import pathlib
from typing import Any, NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A convolution with zeros around, and what follows it.

    Attributes:
        kernel: [height, width, in, filters]; of a transposed one [height, width, filters, in].
        bias: [filters], or None.
        strides: in both directions.
        padding: zeros on each side.
        activation: linear, relu, swish, leaky_relu (of slope 0.2) or tanh.
        transposed: whether it is a transposed convolution.
        norm: of the batch normalization before the activation: gain, shift, running mean and
            running variance, [4, filters]; None where there is none.
    """

    kernel: np.ndarray
    bias: np.ndarray | None
    strides: int
    padding: int
    activation: str = "linear"
    transposed: bool = False
    norm: np.ndarray | None = None


class Workload(NamedTuple):
    """What is worked on; each module of a library says what it does with it.

    Attributes:
        nets: layers from the inputs up, by the net's name; the last two of an inference net stand
            side by side, on the same maps.
        constants: numbers, words and lists of them.
        arrays: images [b, h, w, c], latents, random draws.
    """

    nets: dict[str, list[Layer]]
    constants: dict[str, Any]
    arrays: dict[str, np.ndarray]


ARRAYS = ("kernel", "bias", "norm")
"""The arrays of a layer."""


def write(path: pathlib.Path, workload: Workload) -> None:
    """Writes a workload as .npz."""
    arrays: dict[str, Any] = {f"arrays/{name}": a for name, a in workload.arrays.items()}
    rows: dict[str, list[dict]] = {}
    for name, layers in workload.nets.items():
        rows[name] = []
        for number, layer in enumerate(layers):
            values = {key: value for key, value in layer._asdict().items() if value is not None}
            arrays |= {f"{name}/{number}/{key}": values.pop(key) for key in ARRAYS if key in values}
            rows[name].append(values)
    # one file holds all, so that a contender needs no other argument
    recipe = json.dumps({"nets": rows, "constants": workload.constants})
    np.savez(path, recipe=np.array(recipe), **arrays)


def read(path: pathlib.Path | str) -> Workload:
    """Reads what `write` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    recipe = json.loads(str(arrays.pop("recipe")))
    nets: dict[str, list[Layer]] = {}
    for name, rows in recipe["nets"].items():
        nets[name] = []
        for number, row in enumerate(rows):
            own: dict[str, Any] = {key: arrays.get(f"{name}/{number}/{key}") for key in ARRAYS}
            nets[name].append(Layer(**row, **own))
    prefix = "arrays/"
    named = {
        key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)
    }
    return Workload(nets, recipe["constants"], named)
