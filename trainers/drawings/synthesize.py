"""A sample larger than the images that were trained on, or longer than the clips."""

from collections.abc import Iterator, Sequence

import numpy as np

from tfgen import random
from tfgen.errors import UserError
from tfgen.models.inputs import Input
from trainers.drawings import pictures
from trainers.drawings.request import Request, ask, check, require
from trainers.run.trained import Trained


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws samples of the asked size: one, unless a number is given."""
    return pictures.grid(np.concatenate(list(images(trained, request))))


def images(trained: Trained, request: Request, done: int = 0) -> Iterator[np.ndarray]:
    """Yields samples one by one, since they may be large; without the first that were done."""
    require(trained, "synthesize")
    size = sides(trained.model.image_shape, trained.model.inputs()["size"], request)
    check(trained.model.inputs(), "size", size)
    synthesize = ask(trained, request, "synthesize")
    # of cascades alone: other models' patches do not reach over the border
    tile = {"tile": True} if request.tile else {}
    if tile and "tile" not in trained.model.inputs():
        raise UserError("--tile: expected a cascade that sees patches and found another model")
    root = random.root(request.seed)
    for number in range(done, request.count or 1):
        # the first is the one that is drawn when no number is given
        seed = random.fold_in(root, number) if number else root
        yield synthesize(count=1, size=size, seed=seed, **tile)["image"]


def sides(image_shape: Sequence[int], size: Input, request: Request) -> tuple[int, ...]:
    """Returns the sides to synthesize: height and width, or of clips the frames first.

    Args:
        image_shape: of the model.
        size: the input that takes the sides.
        request: gives height and width of images, and the length of clips.

    Raises:
        UserError: if a length is asked of a model of images.
    """
    if len(image_shape) == 3:
        if request.length is not None:
            raise UserError("--length: expected none, since this model is of images")
        return request.size
    # a clip is made longer; its height and width, if they are free, stay the model's own
    return (request.length or 2 * image_shape[0], *image_shape[1 : size.shape[0]])
