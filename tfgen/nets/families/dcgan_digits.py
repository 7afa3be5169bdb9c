"""Small nets in the manner of DCGAN's for the embedded 8x8 digits and for MNIST; no paper has them.

| layer | generator          | discriminator     |
|-------|--------------------|-------------------|
| 1     | 128, 2 from z, BN  | 32, 3, s1 p1      |
| 2     | 64, 4, s2 p1, BN   | 64, 4, s2 p1, BN  |
| 3     | -                  | 128, 4, s2 p1, BN |
| top   | channels, 4, s2 p1 | 1, the map        |

Filters, size, stride s, padding p; biases in the tops alone. ReLU in the generator and tanh at its
end, leaky ReLU of slope 0.2 in the discriminator; weights start at N(0, 0.02²). Images of other
sizes that 4 divides have a larger first layer and a larger top."""

from tfgen.nets.architectures.builders import generator_builder
from tfgen.nets.architectures.discriminator_builders import discriminator_builder
from tfgen.nets.architectures.tables import WHOLE, Row

generator = generator_builder([Row(128, WHOLE), Row(64, 4, 2, 1), Row(1, 4, 2, 1)], latents=16)
discriminator = discriminator_builder([Row(32, 3, 1, 1), Row(64, 4, 2, 1), Row(128, 4, 2, 1)])
