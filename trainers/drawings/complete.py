"""Held-out images, what was shown of them, two completions, and how far several differ (white:
most)."""

from collections.abc import Iterator

import numpy as np

from tfgen import random
from tfgen.data import masks
from trainers.drawings import pictures
from trainers.drawings.request import Request, able, ask, images_for, row_seeds
from trainers.run.trained import Trained

COMPLETIONS = 2

DRAWS = 10
"""Completions that the difference is taken of."""


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws images, masked, and completions below; then their spread, where the model tells it."""
    complete, given = ask(trained, request, "complete"), masked(trained, request)
    image, seed = given["image"], random.root(request.seed)
    rows = [image, given["mask"] * image]
    for number in range(COMPLETIONS):
        # the first completion is the one that an exported model gives for this seed
        seeds = row_seeds(random.fold_in(seed, number) if number else seed, len(image))
        rows.append(complete(**given, seed=seeds)["image"])
    if able(trained, "uncertainty"):
        found = ask(trained, request, "uncertainty")(**given, draws=DRAWS)
        rows.append(pictures.heatmap(found["spread"], image.shape))
    return pictures.grid(np.concatenate(rows), columns=len(image))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields one completion of each image, all in one part; none if that was done before."""
    if done:
        return
    complete, given = ask(trained, request, "complete"), masked(trained, request)
    seeds = row_seeds(random.root(request.seed), len(given["image"]))
    yield complete(**given, seed=seeds)["image"]


def masked(trained: Trained, request: Request) -> dict[str, np.ndarray]:
    """Returns images to work on, their classes and their masks, by the names of the inputs."""
    given = images_for("complete", trained, request)
    seed = random.fold_in(random.root(request.seed), -1)
    mask = masks.parse(request.mask, given["image"].shape[:-1], seed)
    return {**given, "mask": mask.numpy()}
