"""The persistent chains that training left, all of them."""

import numpy as np

from trainers.drawings import pictures
from trainers.drawings.request import Request, ask
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws all chains on one sheet."""
    return pictures.sheet(ask(trained, request, "chains")()["image"])
