"""Held-out images (above), and the magnitude of their energy's gradient at each pixel (white:
most)."""

import numpy as np

from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, held_out
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws images above the magnitude of their energy's gradient at each pixel."""
    anomaly, given = ask(trained, request, "anomaly"), held_out(trained, request)
    image, steepness = given["image"], anomaly(**given)["steepness"]
    rows = [image, pictures.heatmap(steepness, image.shape)]
    return pictures.grid(np.concatenate(rows), columns=len(image))
