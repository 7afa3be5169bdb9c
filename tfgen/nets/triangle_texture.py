"""The divergence triangle's nets for textures, 224x224 from a map of 7x7 latents (section on texture synthesis).

| layer | generator           | energy        | inference        |
|-------|---------------------|---------------|------------------|
| 1     | 512, 4, s2 p1, BN   | 100, 7, s2 p3 | 128, 4, s2 p1    |
| 2     | 512, 4, s2 p1, BN   | 70, 7, s2 p3  | 256, 4, s2 p1    |
| 3     | 256, 4, s2 p1, BN   | 30, 5, s1 p2  | 512, 4, s2 p1    |
| 4     | 128, 4, s2 p1, BN   | -             | 512, 4, s2 p1    |
| top   | channels, 4, s2 p1  | sum of the map | 2 dim z, 4, s2 p1 |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the generator and tanh
at its end, leaky ReLU in the others; weights start at N(0, 0.02²).

The latents have 32 times fewer rows and columns than the image: a larger map of them gives a larger texture. That the
score is the sum of the energy's last map, and the paddings, are ours.
"""

from tfgen.errors import UserError
from tfgen.nets.latent import Generator, Inference
from tfgen.nets.layers import Conv, Row
from tfgen.nets.scoring import ScoringFunction

GENERATOR = [Row(512, 4, 2, 1), Row(512, 4, 2, 1), Row(256, 4, 2, 1), Row(128, 4, 2, 1)]
ENERGY = [Row(100, 7, 2, 3), Row(70, 7, 2, 3), Row(30, 5, 1, 2)]
INFERENCE = [Row(128, 4, 2, 1), Row(256, 4, 2, 1), Row(512, 4, 2, 1), Row(512, 4, 2, 1)]


def generator(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 5, batch_norm: bool = True
) -> Generator:
    """g(z).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z at each place.
        batch_norm: whether hidden layers are normalized over the batch.

    Returns:
        A net from [b, h / 32, w / 32, latent_dim] to [b, h, w, c].

    Raises:
        UserError: if it cannot make images of this size.
    """
    height, across, channels = image_shape
    rows = [*GENERATOR, Row(channels, 4, 2, 1)]
    latent_shape = (height // 32, across // 32, latent_dim)
    return Generator.from_table(rows, latent_shape, image_shape, width=width, batch_norm=batch_norm)


def energy(
    image_shape: tuple[int, int, int],
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
    """
    options = {"initializer_scale": 0.02, "spectral_norm": spectral_norm}
    convs = [Conv(*row.scaled(width), use_bias=False, **options) for row in ENERGY]
    if outputs > 1:
        raise UserError(f"outputs: expected 1, since the score is a sum of maps, and found {outputs}")
    return ScoringFunction(convs, [None] * len(convs), activation, image_shape, batch_norm)


def inference(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 5, batch_norm: bool = False
) -> Inference:
    """q(z|x).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z at each place.
        batch_norm: whether layers but the first are normalized over the batch.

    Returns:
        A net from [b, h, w, c] to the mean and log-variance of z, [b, h / 32, w / 32, latent_dim] each.
    """
    head = Row(latent_dim, 4, 2, 1)
    return Inference.from_table(INFERENCE, head, latent_dim, image_shape, width=width, batch_norm=batch_norm)
