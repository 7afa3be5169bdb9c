"""Where held-out images lie among the latents."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from tfgen.errors import UserError
from trainers.drawings import pictures
from trainers.drawings.request import MANY, Request, ask, held_out
from trainers.run.trained import Trained

MOST_NAMED = 20
"""Classes whose names the colour bar has room for."""


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws latents on their two principal axes, coloured by class where there are classes."""
    encode, given = ask(trained, request, "encode"), held_out(trained, request, MANY)
    latent = encode(**given)["latent"]
    if len(latent) < 2:
        raise UserError("--image: expected the run's held-out images, since one alone has no axes")
    first, second = PCA(2).fit_transform(latent.reshape(len(latent), -1)).T
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axes = figure.subplots()
    label = trained.images.test.label
    colour = None if label is None else label[: len(latent)]
    dots = axes.scatter(first, second, c=colour, cmap="tab10", s=12)
    axes.set(xlabel="first principal axis of z", ylabel="second")
    if label is not None:
        bar = figure.colorbar(dots, label="class")
        names = trained.data.get("class_names")
        if names and len(names) <= MOST_NAMED:
            bar.set_ticks(range(len(names)), labels=names)
    return pictures.rendered(figure)
