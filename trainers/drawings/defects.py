"""Pictures of any size, and below each the map of its energy (white: most unusual)."""

import numpy as np

from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, images_for
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws pictures above the maps of their energies, on one scale from the least to the most."""
    defects = ask(trained, request, "defects")
    given = images_for("defects", trained, request)
    image, found = given["image"], defects(**given)["defects"]
    rows = [image, pictures.heatmap(found - found.min(), image.shape)]
    return pictures.grid(np.concatenate(rows), columns=len(image))
