"""A film between latents of the prior, which ends where it began; its strip, as .png."""

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.models.interpolation import lerp, slerp
from trainers.drawings import pictures
from trainers.drawings.request import SEVERAL, Request, ask
from trainers.run.trained import Trained

ENDS = 3
"""Latents that each image passes."""

FRAMES = 12
"""From one to the next."""

FILM = True
"""Whatever the model makes, this drawing moves."""


def draw(trained: Trained, request: Request) -> np.ndarray:
    """Draws a film [t, h, w, c], in which each image of a sheet goes its own way."""
    decode = ask(trained, request, "decode")
    if len(trained.model.image_shape) > 3:
        raise UserError("--task: expected another than walk, since this model is of clips")
    shape = trained.model.inputs_of("decode")["latent"].shape
    count = request.count or SEVERAL
    ends = random.normal([ENDS, count, *shape], random.root(request.seed))
    way, frames = slerp if request.spherical else lerp, []
    for number in range(ENDS):
        for position in np.linspace(0, 1, FRAMES, endpoint=False):
            z = way(ends[number], ends[(number + 1) % ENDS], tf.fill([count], np.float32(position)))
            frames.append(pictures.grid(decode(latent=z)["image"]))
    return np.stack(frames)
