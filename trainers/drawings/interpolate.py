"""From one held-out image to another through their latents."""

import numpy as np

from tfgen.errors import UserError
from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, held_out
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws a row for each two neighbouring images: the one, images on the way, the other."""
    interpolate = ask(trained, request, "interpolate")
    image = held_out(trained, request)["image"]
    if len(image) < 2:
        raise UserError("--count: expected at least 2 images to interpolate between")

    def between(**given):
        return interpolate(**given, spherical=request.spherical)["image"]

    return pictures.interpolations(between, image)
