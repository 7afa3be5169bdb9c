"""Functions that build the net of a role, made from the rows of a paper's table: what families are made of."""

import math
from collections.abc import Callable, Sequence

from tfgen.errors import UserError
from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.architectures.tables import WHOLE, Row, convs_of_table
from tfgen.nets.convolution.layers import Conv

Size = tuple[int, int, int]
"""Height, width, channels of images."""


def generator_of(
    rows: Sequence[Row], latents: int, latent_map: bool = False
) -> Callable[..., Generator]:
    """The function that builds a generator.

    Args:
        rows: from the latents up; the last makes the image, with as many filters as it has channels.
        latents: numbers in z, or in each place of its map, by default.
        latent_map: whether z is a map, as much smaller than the image as the rows enlarge it; a vector otherwise.
    """

    def generator(
        image_shape: Size, *, width: float = 1.0, latent_dim: int = latents, batch_norm: bool = True
    ) -> Generator:
        """g(z).

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            latent_dim: numbers in z, or in each place of its map.
            batch_norm: whether hidden layers are normalized over the batch.

        Returns:
            A net from [b, *latent_shape] to [b, h, w, c].

        Raises:
            UserError: if it cannot make images of this size.
        """
        *hidden, last = rows
        table = [*hidden, last._replace(filters=image_shape[2])]
        factor = math.prod(row.strides for row in rows)
        places = tuple(side // factor for side in image_shape[:2]) if latent_map else ()
        return Generator.from_table(
            table, (*places, latent_dim), image_shape, width=width, batch_norm=batch_norm
        )

    return generator


def energy_of(rows: Sequence[Row], summed: bool = False) -> Callable[..., ScoringFunction]:
    """The function that builds an energy.

    Args:
        rows: below the top, from the image up.
        summed: whether the score is the sum of the last map; read by filters over the whole of it otherwise.
    """

    def energy(
        image_shape: Size,
        *,
        width: float = 1.0,
        activation: str = "leaky_relu",
        outputs: int = 1,
        batch_norm: bool = False,
        spectral_norm: bool = False,
    ) -> ScoringFunction:
        """The energy -f.

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            activation: leaky_relu, relu or swish.
            outputs: top filters, one a class.
            batch_norm: whether layers but the first are normalized over the batch.
            spectral_norm: whether kernels have a largest singular value of 1.

        Returns:
            A net from [b, h, w, c] to [b], or [b, outputs] when they are several.

        Raises:
            UserError: if the images are too small, or several outputs are asked of a sum.
        """
        if summed and outputs > 1:
            raise UserError(
                f"outputs: expected 1, since the score is a sum of maps, and found {outputs}"
            )
        return ScoringFunction.from_table(
            rows,
            image_shape,
            width=width,
            activation=activation,
            outputs=0 if summed else outputs,
            batch_norm=batch_norm,
            spectral_norm=spectral_norm,
        )

    return energy


def inference_of(
    rows: Sequence[Row], latents: int, head: Row | None = None
) -> Callable[..., Inference]:
    """The function that builds an inference net.

    Args:
        rows: below the heads, from the image up.
        latents: numbers in z, or in each place of its map, by default.
        head: of the mean and of the log-variance, where z is a map; None where each sees the whole last map.
    """

    def inference(
        image_shape: Size,
        *,
        width: float = 1.0,
        latent_dim: int = latents,
        batch_norm: bool = False,
    ) -> Inference:
        """q(z|x).

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            latent_dim: numbers in z, or in each place of its map.
            batch_norm: whether layers but the first are normalized over the batch.

        Returns:
            A net from [b, h, w, c] to the mean and log-variance of z, [b, *latent_shape] each.

        Raises:
            UserError: if the images are too small.
        """
        return Inference.from_table(
            rows, head, latent_dim, image_shape, width=width, batch_norm=batch_norm
        )

    return inference


def discriminator_of(rows: Sequence[Row]) -> Callable[..., Discriminator]:
    """The function that builds a discriminator.

    Args:
        rows: below the head, from the image up.
    """

    def discriminator(image_shape: Size, *, width: float = 1.0) -> Discriminator:
        """The log-odds of being an image, not a sample.

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.

        Returns:
            A net from [b, h, w, c] to [b].

        Raises:
            UserError: if the images are too small.
        """
        convs, shape = convs_of_table(rows, image_shape, width=width, initializer_scale=0.02)
        head = Conv(*Row(1, WHOLE).over(shape[1:3]), initializer_scale=0.02)
        return Discriminator(convs, head, image_shape)

    return discriminator
