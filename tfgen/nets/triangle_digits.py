"""Small nets for the divergence triangle on the embedded 8x8 digits; the paper has no such experiment.

| layer | generator            | energy        | inference     |
|-------|----------------------|---------------|---------------|
| 1     | 256, 1 from z, BN    | 64, 4, s2 p1  | 64, 4, s2 p1  |
| 2     | 64, 4 from these, BN | 256, the map  | 256, the map  |
| top   | channels, 4, s2 p1   | 1             | 2 dim z       |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the generator and tanh
at its end, leaky ReLU in the others; weights start at N(0, 0.02²). Images of other sizes that 2 divides have larger
second layers.
"""

from tfgen.nets.latent import Generator, Inference
from tfgen.nets.layers import Row
from tfgen.nets.scoring import ScoringFunction


def generator(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 16, batch_norm: bool = True
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
    rows = [Row(256, 1), Row(64, (height // 2, across // 2)), Row(channels, 4, 2, 1)]
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
        _rows(image_shape),
        image_shape,
        width=width,
        activation=activation,
        outputs=outputs,
        batch_norm=batch_norm,
        spectral_norm=spectral_norm,
    )


def inference(
    image_shape: tuple[int, int, int], *, width: float = 1.0, latent_dim: int = 16, batch_norm: bool = False
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
    return Inference.from_table(_rows(image_shape), None, latent_dim, image_shape, width=width, batch_norm=batch_norm)


def _rows(image_shape: tuple[int, int, int]) -> list[Row]:
    """Of the energy and the inference net, below the tops."""
    return [Row(64, 4, 2, 1), Row(256, (image_shape[0] // 2, image_shape[1] // 2))]
