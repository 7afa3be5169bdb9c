"""The picture of a model of two numbers: its pieces, its exact density, its samples."""

import matplotlib.figure
import numpy as np

from tfgen.evaluation import pieces
from trainers.drawings import pictures
from trainers.run.experiment import Experiment

EXTENT = 2.0


def draw(trained: Experiment, values) -> np.ndarray:
    """Three panels: pieces with the means that lie in them, density, samples.

    Args:
        trained: a model of images 1x1 with 2 channels.
        values: the flags; `seed`.

    Returns:
        uint8 [h, w, 3].
    """
    exact = pieces.plane(trained.algorithm, extent=EXTENT, cells=400)
    draws = pieces.sample(
        trained.algorithm, chains=1000, num_steps=400, step_size=0.3, seed=values.seed
    )
    figure = matplotlib.figure.Figure(figsize=(12, 4), layout="constrained")
    regions, density, samples = figure.subplots(1, 3)
    box = {
        "extent": (-EXTENT, EXTENT, -EXTENT, EXTENT),
        "origin": "lower",
        "interpolation": "nearest",
    }
    colours = np.random.default_rng(0).permutation(len(exact.mean))[exact.piece]
    regions.imshow(colours, cmap="Pastel1" if len(exact.mean) < 10 else "tab20", alpha=0.6, **box)
    regions.plot(*exact.mean[_own(exact)].T, "k*", markersize=9)
    regions.set_title(f"{len(exact.mean)} pieces; stars: means that are local modes", fontsize=10)
    density.imshow(exact.density, cmap="magma", **box)
    density.set_title("exact density", fontsize=10)
    samples.imshow(pieces.coarse(pieces.histogram(draws, exact.axis), 100), cmap="magma", **box)
    samples.set_title(f"{len(draws):,} MALA samples", fontsize=10)
    for axes in (regions, density, samples):
        axes.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT))
    return pictures.rendered(figure)


def _own(exact: pieces.Plane) -> list[int]:
    """The pieces that hold their own mean: these means are local modes (Proposition 2)."""
    found = []
    for number, mean in enumerate(exact.mean):
        column, row = np.rint((mean - exact.axis[0]) / (exact.axis[1] - exact.axis[0])).astype(int)
        inside = 0 <= row < len(exact.axis) and 0 <= column < len(exact.axis)
        if inside and exact.piece[row, column] == number:
            found.append(number)
    return found
