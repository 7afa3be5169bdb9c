"""Training images (above) and the local modes that noise-free descent takes them to."""

import numpy as np

from tfgen.evaluation import local_modes
from trainers.drawings import pictures
from trainers.drawings.request import SEVERAL, Request
from trainers.run.trained import Trained

STEPS = 5000
"""Of each descent, at most, unless a number is given."""


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws training images above their modes."""
    local_modes.check_tilted("--task=memories", trained.model)
    start = trained.images.train.shown(request.count or SEVERAL)
    steps = STEPS if request.steps is None else request.steps
    modes = local_modes.descend(trained.model, start, num_steps=steps, tolerance=1e-4)
    return pictures.grid(np.concatenate([start, modes.mode]), columns=len(start))
