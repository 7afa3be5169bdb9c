"""The divergence triangle's nets for MNIST and Fashion-MNIST, 28x28. The paper's Table VI is lost; our choice.

| layer | generator           | energy        | inference       |
|-------|---------------------|---------------|-----------------|
| 1     | 256, 7 from z, BN   | 64, 4, s2 p1  | 64, 4, s2 p1    |
| 2     | 128, 4, s2 p1, BN   | 128, 4, s2 p1 | 128, 4, s2 p1   |
| top   | channels, 4, s2 p1  | 1, the map    | 2 dim z, the map |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the generator and tanh
at its end, leaky ReLU in the others; weights start at N(0, 0.02²).

Images of other sizes that 4 divides have a larger first layer and larger tops.
"""

from tfgen.nets.latent import Generator, Inference
from tfgen.nets.layers import Row
from tfgen.nets.scoring import ScoringFunction

GENERATOR = [Row(128, 4, 2, 1)]
ENERGY = [Row(64, 4, 2, 1), Row(128, 4, 2, 1)]
INFERENCE = [Row(64, 4, 2, 1), Row(128, 4, 2, 1)]


def generator(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 50, batch_norm: bool = True
) -> Generator:
    """g(z).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z.
        batch_norm: whether hidden layers are normalized over the batch.

    Returns:
        A net from [b, latent_dim] to [b, h, w, c].

    Raises:
        UserError: if it cannot make images of this size.
    """
    height, across, channels = image_shape
    first = Row(256, (height // 4, across // 4))
    rows = [first, *GENERATOR, Row(channels, 4, 2, 1)]
    return Generator.from_table(rows, (latent_dim,), image_shape, width=width, batch_norm=batch_norm)


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
    return ScoringFunction.from_table(
        ENERGY,
        image_shape,
        width=width,
        activation=activation,
        outputs=outputs,
        batch_norm=batch_norm,
        spectral_norm=spectral_norm,
    )


def inference(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 50, batch_norm: bool = False
) -> Inference:
    """q(z|x).

    Args:
        image_shape: height, width, channels.
        width: factor on the numbers of filters.
        latent_dim: numbers in z.
        batch_norm: whether layers but the first are normalized over the batch.

    Returns:
        A net from [b, h, w, c] to the mean and log-variance of z, [b, latent_dim] each.
    """
    return Inference.from_table(INFERENCE, None, latent_dim, image_shape, width=width, batch_norm=batch_norm)
