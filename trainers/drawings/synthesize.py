"""A sample larger than the images that were trained on."""

from collections.abc import Iterator

import numpy as np

from tfgen import random
from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, check, require
from trainers.run.experiment import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws samples of the asked size: one, unless a number is given."""
    return pictures.grid(np.concatenate(list(images(trained, request))))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields samples one by one, since they may be large; without the first that were done."""
    require(trained, "synthesize")
    check(trained.model.inputs(), "size", request.size)
    synthesize = ask(trained, request, "synthesize")
    root = random.root(request.seed)
    for number in range(done, request.count or 1):
        # the first is the one that is drawn when no number is given
        seed = random.fold_in(root, number) if number else root
        yield synthesize(count=1, size=request.size, seed=seed)["image"]
