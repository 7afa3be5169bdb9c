"""The divergence triangle's nets for images of high resolution, which grow level by level.

| layer | side | filters |
|-------|------|---------|
| 1     | 4    | 512     |
| 2     | 8    | 512     |
| 3     | 16   | 512     |
| 4     | 32   | 512     |
| 5     | 64   | 256     |
| 6     | 128  | 128     |
| 7     | 256  | 64      |
| 8     | 512  | 32      |
| 9     | 1024 | 16      |

A layer, or level, has two 3x3 convolutions. Between levels maps are doubled or halved, and a 1x1
convolution joins each level's maps to images. The generator's first level is made from z; the
energy and the inference net end in filters over the whole of the smallest maps. Leaky ReLU, and
tanh at the generator's end; biases but in the energy's top and beside normalization; no minibatch
statistics. Weights start as He's, the tops', the first and the last layer's at N(0, 0.02²). Images
of other sizes are halved as long as a side is even and at least 8, and a level's filters follow
from its larger side.

Source: Divergence triangle, section on high resolution; Karras et al., Progressive growing of GANs,
2018, Table 2.
"""

from tfgen.nets.architectures.builders import Count, Normalization, Width
from tfgen.nets.architectures.levels import level_filters
from tfgen.nets.architectures.progressive import (
    ProgressiveEnergy,
    ProgressiveGenerator,
    ProgressiveInference,
)
from tfgen.nets.architectures.roles import Size

LATENTS = 512
"""The default size of z."""


def generator(
    image_shape: Size,
    *,
    width: Width = 1.0,
    latent_dim: Count = LATENTS,
    normalization: Normalization = "batch",
) -> ProgressiveGenerator:
    """Returns the generator g(z).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z.
        normalization: of hidden layers: over the batch; the same with running statistics of drawn
            and of inferred latents apart (dual_batch); over 8 groups of an image's own channels
            (group) or all of them (layer); or none.

    Returns:
        A net from [b, latent_dim] to [b, h, w, c].
    """
    filters = level_filters(width, image_shape)
    return ProgressiveGenerator(filters, latent_dim, image_shape, normalization)


def energy(image_shape: Size, *, width: Width = 1.0, outputs: Count = 1) -> ProgressiveEnergy:
    """Returns the energy.

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        outputs: top filters, one a class.

    Returns:
        A net from [b, h, w, c] to [b], or [b, outputs] where there are several.
    """
    return ProgressiveEnergy(level_filters(width, image_shape), image_shape, outputs)


def inference(
    image_shape: Size, *, width: Width = 1.0, latent_dim: Count = LATENTS
) -> ProgressiveInference:
    """Returns the inference net q(z|x).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z.

    Returns:
        A net from [b, h, w, c] to the mean and log-variance of z, [b, latent_dim] each.
    """
    return ProgressiveInference(level_filters(width, image_shape), latent_dim, image_shape)
