"""Makers of the functions of families that build discriminators, of images and of pairs.

As in `builders`, the parameters of the functions made here are the options of nets.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from tfgen.errors import NotNegative
from tfgen.nets.architectures.builders import Count, Width
from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.architectures.joint_discriminator import JointDiscriminator
from tfgen.nets.architectures.roles import Size
from tfgen.nets.architectures.tables import WHOLE, Row, convs_of_table
from tfgen.nets.convolution.layers import Conv


def discriminator_builder(
    rows: Sequence[Row], normalized: bool = True
) -> Callable[..., Discriminator]:
    """Returns the function that builds a discriminator.

    Args:
        rows: below the head, from the image up.
        normalized: whether batch normalization is the default.
    """

    def discriminator(
        image_shape: Size,
        *,
        width: Width = 1.0,
        batch_norm: bool = normalized,
        hidden: Annotated[int, NotNegative] = 0,
    ) -> Discriminator:
        """Returns the discriminator: the log-odds of being an image, not a sample.

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters.
            batch_norm: whether layers but the first are normalized over the batch.
            hidden: filters over the whole of the last map, a layer before the head that sees all of
                the picture; 0: no such layer. The width is no factor on it.

        Returns:
            A net from [b, h, w, c] to [b].

        Raises:
            UserError: if the images are too small.
        """
        convs, shape = convs_of_table(rows, image_shape, width=width, initializer_scale=0.02)
        if hidden:
            whole = Row(hidden, WHOLE).over(shape[1:3])
            convs.append(Conv(*whole, use_bias=False, initializer_scale=0.02))
            shape = convs[-1].compute_output_shape(shape)
        head = Conv(*Row(1, WHOLE).over(shape[1:3]), initializer_scale=0.02)
        return Discriminator(convs, head, image_shape, batch_norm)

    return discriminator


def joint_discriminator_builder(
    rows: Sequence[Row], latents: int
) -> Callable[..., JointDiscriminator]:
    """Returns the function that builds a joint discriminator of images and vectors of latents.

    Args:
        rows: of the image's branch, from the image up.
        latents: default size of z.
    """

    def joint_discriminator(
        image_shape: Size,
        *,
        width: Width = 1.0,
        latent_dim: Count = latents,
        hidden: Count = 512,
    ) -> JointDiscriminator:
        """Returns the joint discriminator D(x, z).

        Args:
            image_shape: height, width, channels.
            width: factor on the numbers of filters of the image's layers.
            latent_dim: numbers in z.
            hidden: filters of the layer over the whole of the image's last map, of the layer of the
                latents, and of the layer over both. The width is no factor on it.

        Returns:
            A net from a pair, [b, h, w, c] and [b, latent_dim], to [b].

        Raises:
            UserError: if the images are too small.
        """
        convs, shape = convs_of_table(rows, image_shape, width=width, initializer_scale=0.02)
        whole = Row(hidden, WHOLE).over(shape[1:3])
        # He's start: with 0.02 the log-odds would begin all but flat in few latents
        convs.append(Conv(*whole, use_bias=False, initializer_scale=None))
        latent, joint = (Conv(hidden, 1, use_bias=False, initializer_scale=None) for _ in range(2))
        head = Conv(1, 1, initializer_scale=0.02)
        return JointDiscriminator(convs, latent, joint, head, (latent_dim,), image_shape)

    return joint_discriminator
