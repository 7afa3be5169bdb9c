"""Work that several libraries are given, as a file that any of them can read."""

import json
import pathlib
from typing import Any, NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A convolution with zeros around, and what follows it."""

    kernel: np.ndarray
    """[height, width, in, filters]; [height, width, filters, in] of a transposed one."""
    bias: np.ndarray | None
    strides: int
    padding: int
    activation: str = "linear"
    """linear, relu, swish, leaky_relu (of slope 0.2) or tanh."""
    transposed: bool = False
    norm: np.ndarray | None = None
    """Of the batch normalization before the activation: gain, shift, running mean and variance, [4, filters]."""


class Workload(NamedTuple):
    """What is worked on; each module of a library says what it does with it."""

    nets: dict[str, list[Layer]]
    """By name, from their inputs up; an inference net's last two layers stand side by side, on the same maps."""
    constants: dict[str, Any]
    """Numbers, words and lists of them."""
    arrays: dict[str, np.ndarray]
    """Images [b, h, w, c], latents, draws."""


ARRAYS = ("kernel", "bias", "norm")
"""Of a layer."""


def write(path: pathlib.Path, workload: Workload) -> None:
    """Writes a workload as .npz."""
    arrays = {f"arrays/{name}": array for name, array in workload.arrays.items()}
    rows: dict[str, list[dict]] = {}
    for name, layers in workload.nets.items():
        rows[name] = []
        for number, layer in enumerate(layers):
            values = {key: value for key, value in layer._asdict().items() if value is not None}
            arrays |= {f"{name}/{number}/{key}": values.pop(key) for key in ARRAYS if key in values}
            rows[name].append(values)
    np.savez(path, recipe=json.dumps({"nets": rows, "constants": workload.constants}), **arrays)


def read(path: pathlib.Path | str) -> Workload:
    """What `write` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    recipe = json.loads(str(arrays.pop("recipe")))
    nets = {
        name: [
            Layer(**row, **{key: arrays.get(f"{name}/{number}/{key}") for key in ARRAYS})
            for number, row in rows
        ]
        for name, rows in ((name, enumerate(rows)) for name, rows in recipe["nets"].items())
    }
    named = {
        key.removeprefix("arrays/"): array
        for key, array in arrays.items()
        if key.startswith("arrays/")
    }
    return Workload(nets, recipe["constants"], named)
