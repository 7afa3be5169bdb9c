"""The base of algorithms that train a generator of images from latents."""

from collections.abc import Sequence

import tensorflow as tf

from tfgen import random
from tfgen.models import LatentModel
from tfgen.training.algorithm import Algorithm
from tfgen.training.buffers import MissingPixels
from tfgen.types import Batch, Image


class LatentAlgorithm(Algorithm):
    """A way to train a generator; a subclass writes `update`.

    Args:
        model: with a generator.
        logged: the names of the numbers that `update` returns.
        num_incomplete: training images with missing pixels; 0 where all are whole.
        seed: of all that training draws.
    """

    model: LatentModel

    def __init__(
        self, model: LatentModel, *, logged: Sequence[str], num_incomplete: int, seed: int
    ):
        super().__init__(model, logged=logged, seed=seed)
        self.missing = MissingPixels(num_incomplete, model.image_shape)

    def pictures(self, batch: Batch) -> dict[str, Image]:
        image = self.missing.fill(batch)
        latents = (image.shape[0], *self.model.generator.latent_shape)
        # the same latents each time, so that pictures show how the generator changes
        z = random.normal(latents, random.root(self.seed))
        found = {"samples": self.model.decode(z)}
        if self.model.posterior is not None:
            found |= {"observed": image, "reconstructions": self.model.reconstruct(image)}
        return found


def prior_draws(model: LatentModel, batch: Batch, seed) -> tf.Tensor:
    """Draws as many latents z ~ N(0, 1) as a batch has examples."""
    return random.normal((batch["image"].shape[0], *model.generator.latent_shape), seed)
