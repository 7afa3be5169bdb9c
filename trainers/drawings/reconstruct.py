"""Held-out images (above) and their reconstructions."""

from collections.abc import Iterator

import numpy as np

from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, held_out
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws images above their reconstructions."""
    image = held_out(trained, request)["image"]
    rows = [image, *images(trained, request)]
    return pictures.grid(np.concatenate(rows), columns=len(image))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields the reconstructions, all in one part; none if that was done before."""
    if done:
        return
    reconstruct = ask(trained, request, "reconstruct")
    yield reconstruct(**held_out(trained, request))["image"]
