"""The divergence triangle's nets for CelebA, 64x64. The paper's Table IV is lost; this is a guess.

| layer | generator               | energy        | inference       |
|-------|-------------------------|---------------|-----------------|
| 1     | 512, 4 from z, BN       | 64, 4, s2 p1  | 64, 4, s2 p1    |
| 2     | 512, 4, s2 p1, BN       | 128, 4, s2 p1 | 128, 4, s2 p1   |
| 3     | 256, 4, s2 p1, BN       | 256, 4, s2 p1 | 256, 4, s2 p1   |
| 4     | 128, 4, s2 p1, BN       | 256, 4, s2 p1 | 512, 4, s2 p1   |
| top   | channels, 4, s2 p1      | 1, the map    | 2 dim z, the map |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the
generator and tanh at its end, leaky ReLU in the others; weights start at N(0, 0.02²). The
discriminator has the layers of the energy, and a bias in its top. The joint discriminator has them
for images, 512 filters over the last map, 512 of the latents, 512 over both (which start as He's),
and a top with a bias.

Images of other sizes that 16 divides have a larger first layer and larger tops. The guess follows
the nets for CIFAR-10 and those of Dai et al., Calibrating energy-based GANs, 2017.
"""

from tfgen.nets.architectures.builders import (
    energy_builder,
    generator_builder,
    inference_builder,
)
from tfgen.nets.architectures.discriminator_builders import (
    discriminator_builder,
    joint_discriminator_builder,
)
from tfgen.nets.architectures.tables import WHOLE, Row

generator = generator_builder(
    [Row(512, WHOLE), Row(512, 4, 2, 1), Row(256, 4, 2, 1), Row(128, 4, 2, 1), Row(3, 4, 2, 1)],
    latents=100,
)
SCORING = [Row(64, 4, 2, 1), Row(128, 4, 2, 1), Row(256, 4, 2, 1), Row(256, 4, 2, 1)]
"""The layers of the energy, of the discriminator, and of images in the joint discriminator."""

energy = energy_builder(SCORING)
discriminator = discriminator_builder(SCORING, normalized=False)
joint_discriminator = joint_discriminator_builder(SCORING, latents=100)
inference = inference_builder(
    [Row(64, 4, 2, 1), Row(128, 4, 2, 1), Row(256, 4, 2, 1), Row(512, 4, 2, 1)], latents=100
)
