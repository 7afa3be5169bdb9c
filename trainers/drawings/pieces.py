"""A model of two numbers: its Gaussian pieces, its density, its samples."""

import matplotlib.figure
import numpy as np

from tfgen.evaluation import pieces
from trainers.drawings import pictures
from trainers.drawings.request import Request
from trainers.run.trained import Trained

EXTENT = 2.0
BOX = {
    "extent": (-EXTENT, EXTENT, -EXTENT, EXTENT),
    "origin": "lower",
    "interpolation": "nearest",
}


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws three panels: pieces with the means that lie in them, the density, and samples."""
    model = trained.model
    exact = pieces.plane(model, extent=EXTENT, cells=400)
    draws = pieces.sample(model, chains=1000, num_steps=400, step_size=0.3, seed=request.seed)
    figure = matplotlib.figure.Figure(figsize=(12, 4), layout="constrained")
    regions, density, samples = figure.subplots(1, 3)
    count = len(exact.mean)
    colours = np.random.default_rng(0).permutation(count)[exact.piece]
    regions.imshow(colours, cmap="Pastel1" if count < 10 else "tab20", alpha=0.6, **BOX)
    regions.plot(*exact.mean[_modes(exact)].T, "k*", markersize=9)
    regions.set_title(f"{count} pieces; stars: means that are local modes", fontsize=10)
    density.imshow(exact.density, cmap="magma", **BOX)
    density.set_title("exact density", fontsize=10)
    histogram = pieces.coarse(pieces.histogram(draws, exact.axis), 100)
    samples.imshow(histogram, cmap="magma", **BOX)
    samples.set_title(f"{len(draws):,} MALA samples", fontsize=10)
    for axes in (regions, density, samples):
        axes.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT))
    return pictures.rendered(figure)


def _modes(exact: pieces.Plane) -> list[int]:
    """Returns the pieces that hold their own mean, which is then a mode (Proposition 2)."""
    found = []
    spacing = exact.axis[1] - exact.axis[0]
    for number, mean in enumerate(exact.mean):
        column, row = np.rint((mean - exact.axis[0]) / spacing).astype(int)
        inside = 0 <= row < len(exact.axis) and 0 <= column < len(exact.axis)
        if inside and exact.piece[row, column] == number:
            found.append(number)
    return found
