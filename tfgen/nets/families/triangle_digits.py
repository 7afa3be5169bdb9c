"""Small nets for the divergence triangle on the embedded 8x8 digits, which the paper has not.

| layer | generator            | energy        | inference     |
|-------|----------------------|---------------|---------------|
| 1     | 256, 1 from z, BN    | 64, 4, s2 p1  | 64, 4, s2 p1  |
| 2     | 64, 4 from these, BN | 256, the map  | 256, the map  |
| top   | channels, 4, s2 p1   | 1             | 2 dim z       |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the
generator and tanh at its end, leaky ReLU in the others; weights start at N(0, 0.02²). The
discriminator has the layers of the energy, and a bias in its top. The joint discriminator has them
for images, 512 filters over the last map, 512 of the latents, 512 over both (which start as He's),
and a top with a bias.

Images of other sizes that 2 divides have larger second layers."""

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

generator = generator_builder([Row(256, 1), Row(64, WHOLE), Row(1, 4, 2, 1)], latents=16)
SCORING = [Row(64, 4, 2, 1), Row(256, WHOLE)]
"""The layers of the energy, of the discriminator, and of images in the joint discriminator."""

energy = energy_builder(SCORING)
discriminator = discriminator_builder(SCORING, normalized=False)
joint_discriminator = joint_discriminator_builder(SCORING, latents=16)
inference = inference_builder([Row(64, 4, 2, 1), Row(256, WHOLE)], latents=16)
