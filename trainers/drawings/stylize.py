"""A picture, and it in the style of the texture that the model learned."""

from collections.abc import Iterator

import numpy as np

from tfgen.errors import UserError
from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, picture, require
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws the picture beside itself in the style."""
    columns = [content(trained, request), *images(trained, request)]
    return pictures.grid(np.concatenate(columns), columns=len(columns))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields the stylized picture, unless that was done before."""
    if done:
        return
    require(trained, "stylize")
    given = content(trained, request)
    yield ask(trained, request, "stylize")(content=given, gamma=request.gamma)["image"]


def content(trained: Trained, request: Request) -> np.ndarray:
    """Returns the picture to stylize at the asked size, [1, h, w, c]."""
    require(trained, "stylize")
    if request.image is None:
        raise UserError("--image: expected the picture to stylize and found none")
    # a patch must fit, and a picture has no border that it could reach into
    least = max(trained.model.image_shape[:2])
    if min(request.size) < least:
        found = ",".join(map(str, request.size))
        raise UserError(f"--size: expected at least {least} pixels a side and found {found}")
    return picture(request.image, trained, request, request.size)
