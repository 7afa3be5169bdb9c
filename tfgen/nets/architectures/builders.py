"""Makers of the functions that families consist of: a function that builds the net of a role.

The parameters of the functions made here are the options of nets, and their docstrings the help of
the flags.
"""

import math
from collections.abc import Callable, Sequence
from typing import Annotated

from tfgen.errors import AtLeastOne, NotNegative, OneOf, Positive, UserError
from tfgen.nets.architectures.activations import ACTIVATIONS, FORMS
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.scoring import ScoringFunction, tops_over
from tfgen.nets.architectures.tables import WHOLE, Row
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import NORMALIZATIONS

Width = Annotated[float, Positive]
Count = Annotated[int, AtLeastOne]
Normalization = Annotated[str, OneOf(*NORMALIZATIONS)]
Activation = Annotated[str, OneOf(*ACTIVATIONS)]


def generator_builder(
    rows: Sequence[Row], latents: int, latent_map: bool = False
) -> Callable[..., Generator]:
    """Returns the function that builds a generator.

    Args:
        rows: from the latents up; the last makes the image, with a filter for each channel.
        latents: default size of z, or of each place of its map.
        latent_map: whether z is a map, as much smaller than the image as the rows enlarge it; a
            vector otherwise. A map of clips is one of their times alone, where the first row makes
            the whole of a frame's map.
    """

    def generator(
        image_shape: Size,
        *,
        width: Width = 1.0,
        latent_dim: Count = latents,
        normalization: Normalization = "batch",
    ) -> Generator:
        """Returns the generator g(z).

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            latent_dim: numbers in z, or in each place of its map.
            normalization: of hidden layers: over the batch; the same with running statistics of
                drawn and of inferred latents apart (dual_batch); over 8 groups of an image's own
                channels (group) or all of them (layer); or none.

        Returns:
            A net from [b, *latent_shape] to [b, h, w, c].

        Raises:
            UserError: if it cannot make images of this size.
        """
        # a table does not say how many channels images have
        *hidden, last = rows
        table = [*hidden, last._replace(filters=image_shape[-1])]
        latent_shape: tuple[int, ...] = (latent_dim,)
        if latent_map:
            latent_shape = (*map_sides(rows, image_shape[:-1]), latent_dim)
        return Generator.from_table(
            table, latent_shape, image_shape, width=width, normalization=normalization
        )

    return generator


def map_sides(rows: Sequence[Row], sides: Sequence[int]) -> tuple[int, ...]:
    """Returns the sides of a map of latents that rows enlarge to an image.

    Args:
        rows: from the latents up.
        sides: height and width of the image; before these, frames of a clip.
    """
    *frames, height, width = sides
    factor = math.prod(row.strides for row in rows)
    longer = math.prod(row.time.strides for row in rows if row.time is not None)
    found = (1, 1) if rows[0].size is WHOLE else (height // factor, width // factor)
    return (*(count // longer for count in frames), *found)


def energy_builder(rows: Sequence[Row], summed: bool = False) -> Callable[..., ScoringFunction]:
    """Returns the function that builds an energy.

    Args:
        rows: below the top, from the image up.
        summed: whether the score is the sum of the last map; filters over the whole of the map read
            it otherwise.
    """

    def energy(
        image_shape: Size,
        *,
        width: Width = 1.0,
        activation: Activation = "leaky_relu",
        outputs: Count = 1,
        batch_norm: bool = False,
        spectral_norm: bool = False,
        hidden: Annotated[int, NotNegative] = 0,
        form: Annotated[str, OneOf(*FORMS)] = "identity",
    ) -> ScoringFunction:
        """Returns the energy -f.

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            activation: after each layer.
            outputs: top filters, one a class.
            batch_norm: whether layers but the first are normalized over the batch.
            spectral_norm: whether kernels have a largest singular value of 1.
            hidden: filters over the whole of the last map, a layer before the top that sees all of
                the picture; 0: no such layer. The width is no factor on it.
            form: what the energy is of the net's output: identity, softplus, tanh or sigmoid.

        Returns:
            A net from [b, h, w, c] to [b], or [b, outputs] where there are several.

        Raises:
            UserError: if the images are too small, or several outputs or a hidden layer are asked
                of a sum.
        """
        if summed:
            _check_sum(outputs, hidden)
        return ScoringFunction.from_table(
            rows,
            image_shape,
            width=width,
            activation=activation,
            outputs=0 if summed else outputs,
            batch_norm=batch_norm,
            spectral_norm=spectral_norm,
            hidden=hidden,
            form=form,
        )

    return energy


def _check_sum(outputs: int, hidden: int) -> None:
    """Raises UserError if several outputs or a hidden layer are asked of a sum of maps."""
    if outputs > 1:
        raise UserError(
            f"outputs: expected 1, since the score is a sum of maps, and found {outputs}"
        )
    if hidden:
        raise UserError(f"hidden: expected 0, since the score is a sum of maps, and found {hidden}")


def growing_energy_builder(
    layers: Callable[[Size, float], list[Conv]],
    top_scales: Sequence[float | None] | None = None,
) -> Callable[..., ScoringFunction]:
    """Returns the function that builds an energy with a top for each depth of its growth.

    Args:
        layers: makes the convolutions, from the bottom up, of an image shape and a factor on the
            numbers of filters.
        top_scales: standard deviations of the tops' normal initialization; None in the place of one
            takes He's, None for all 0.01.
    """

    def energy(
        image_shape: Size,
        *,
        width: Width = 1.0,
        activation: Activation = "swish",
        outputs: Count = 1,
    ) -> ScoringFunction:
        """Returns the energy -f.

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            activation: after each layer.
            outputs: top filters, one a class.

        Returns:
            A net from [b, h, w, c] to [b], or [b, outputs] where there are several.

        Raises:
            UserError: if the images are too small.
        """
        convs = layers(image_shape, width)
        scales = top_scales or [0.01] * len(convs)
        tops = tops_over(convs, image_shape, outputs, scales)
        return ScoringFunction(convs, tops, activation, image_shape)

    return energy


def inference_builder(
    rows: Sequence[Row], latents: int, head: Row | None = None
) -> Callable[..., Inference]:
    """Returns the function that builds an inference net.

    Args:
        rows: below the heads, from the image up.
        latents: default size of z, or of each place of its map.
        head: of the mean and of the log-variance, where z is a map; None where each sees the whole
            last map.
    """

    def inference(
        image_shape: Size,
        *,
        width: Width = 1.0,
        latent_dim: Count = latents,
        batch_norm: bool = False,
    ) -> Inference:
        """Returns the inference net q(z|x).

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
