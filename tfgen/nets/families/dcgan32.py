"""The energy of a DCGAN discriminator for 32x32 images, without batch normalization.

| layer | filters | size | sub-sampling | padding |
|-------|---------|------|--------------|---------|
| 1     | 64      | 5    | 2            | 2       |
| 2     | 128     | 5    | 2            | 2       |
| 3     | 256     | 5    | 2            | 2       |
| top   | outputs | the whole map | -   | -       |

Source: Radford, Metz and Chintala, Unsupervised representation learning with DCGANs, 2016; here
with the activations of `tfgen.nets.architectures.activations`."""

from tfgen.nets.architectures.builders import growing_energy_builder
from tfgen.nets.architectures.roles import Size
from tfgen.nets.convolution.layers import Conv


def _layers(_: Size, width: float) -> list[Conv]:
    """Returns the convolutions, given the factor on the numbers of filters."""
    return [Conv(round(filters * width), 5, 2, 2) for filters in (64, 128, 256)]


energy = growing_energy_builder(_layers)
