"""Held-out images in the order of their energies, in nats: the likeliest first."""

import numpy as np
from matplotlib.figure import Figure

from tfgen.data import preprocess
from trainers.drawings import pictures
from trainers.drawings.request import MANY, SEVERAL, Request, ask, held_out
from trainers.run.trained import Trained

COLUMNS = 8


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws images from the least to the greatest energy, each under its nats."""
    energy, given = ask(trained, request, "energy"), held_out(trained, request, MANY)
    u = energy(**given)["energy"]
    order = np.argsort(u, kind="stable")
    places = np.linspace(0, len(order) - 1, request.count or SEVERAL).round().astype(int)
    shown = order[np.unique(places)]  # fewer images than places leave some places equal
    return _page(preprocess.to_uint8(given["image"][shown]), u[shown])


def _page(image: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Draws images with their energies above them."""
    columns = min(len(image), COLUMNS)
    rows = -(-len(image) // columns)
    figure = Figure(figsize=(1.1 * columns, 1.3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
    for axes, one, u in zip(panels, image, energy, strict=False):
        axes.imshow(one.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{u:.1f}", fontsize=9)
    return pictures.rendered(figure)
