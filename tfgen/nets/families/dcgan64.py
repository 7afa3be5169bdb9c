"""DCGAN's nets, of which introspective networks use the discriminator, 64x64 (INNg, section 4).

| layer | generator          | discriminator     |
|-------|--------------------|-------------------|
| 1     | 512, 4 from z, BN  | 64, 5, s2 p2      |
| 2     | 256, 4, s2 p1, BN  | 128, 5, s2 p2, BN |
| 3     | 128, 4, s2 p1, BN  | 256, 5, s2 p2, BN |
| 4     | 64, 4, s2 p1, BN   | 512, 5, s2 p2, BN |
| top   | channels, 4, s2 p1 | 1, the map        |

Filters, size, stride s, padding p; biases in the tops alone. ReLU in the generator and tanh at its
end, leaky ReLU of slope 0.2 in the discriminator; weights start at N(0, 0.02²). Images of other
sizes that 16 divides have a larger first layer and a larger top; the discriminator takes any size.
Deviation: the generator's filters are 4 wide, not 5, so that they double sizes exactly.

Source: Radford, Metz and Chintala, Unsupervised representation learning with DCGANs, 2016.
"""

from tfgen.nets.architectures.builders import generator_builder
from tfgen.nets.architectures.discriminator_builders import discriminator_builder
from tfgen.nets.architectures.tables import WHOLE, Row

generator = generator_builder(
    [Row(512, WHOLE), Row(256, 4, 2, 1), Row(128, 4, 2, 1), Row(64, 4, 2, 1), Row(3, 4, 2, 1)],
    latents=100,
)
discriminator = discriminator_builder(
    [Row(64, 5, 2, 2), Row(128, 5, 2, 2), Row(256, 5, 2, 2), Row(512, 5, 2, 2)]
)
