"""New samples."""

from collections.abc import Iterator

import numpy as np

from tfgen import random
from trainers.drawings import pictures
from trainers.drawings.request import SEVERAL, Request, ask, with_labels
from trainers.run.trained import Trained

PART = 100
"""Images that are generated at once."""


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws samples on one sheet, of each class in turn or of the asked one."""
    return pictures.sheet(np.concatenate(list(images(trained, request))))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields samples, a part at a time: the first is drawn from the seed itself.

    Args:
        trained: the run.
        request: gives the number, the seed and the class.
        done: parts that were made before, which are left out.
    """
    generate = ask(trained, request, "generate")
    total = request.count or SEVERAL
    given = with_labels(trained, request, total)
    for number in range(done, -(-total // PART)):
        start = number * PART
        part = {name: values[start : start + PART] for name, values in given.items()}
        root = random.root(request.seed)
        seed = random.fold_in(root, number) if number else root
        yield generate(count=min(PART, total - start), seed=seed, **part)["image"]
