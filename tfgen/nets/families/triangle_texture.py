"""The divergence triangle's nets for textures, 224x224 from a map of 7x7 latents.

They are those of the paper's section on texture synthesis.

| layer | generator           | energy        | inference        |
|-------|---------------------|---------------|------------------|
| 1     | 512, 4, s2 p1, BN   | 100, 7, s2 p3 | 128, 4, s2 p1    |
| 2     | 512, 4, s2 p1, BN   | 70, 7, s2 p3  | 256, 4, s2 p1    |
| 3     | 256, 4, s2 p1, BN   | 30, 5, s1 p2  | 512, 4, s2 p1    |
| 4     | 128, 4, s2 p1, BN   | -             | 512, 4, s2 p1    |
| top   | channels, 4, s2 p1  | sum of the map | 2 dim z, 4, s2 p1 |

Filters, size, stride s, padding p; biases in the tops alone, and none in the energy's. ReLU in the
generator and tanh at its end, leaky ReLU in the others; weights start at N(0, 0.02²).

The latents have 32 times fewer rows and columns than the image: a larger map of them gives a larger
texture. That the score is the sum of the energy's last map, and the paddings, are ours."""

from tfgen.nets.architectures.builders import energy_builder, generator_builder, inference_builder
from tfgen.nets.architectures.tables import Row

generator = generator_builder(
    [Row(512, 4, 2, 1), Row(512, 4, 2, 1), Row(256, 4, 2, 1), Row(128, 4, 2, 1), Row(3, 4, 2, 1)],
    latents=5,
    latent_map=True,
)
energy = energy_builder([Row(100, 7, 2, 3), Row(70, 7, 2, 3), Row(30, 5, 1, 2)], summed=True)
inference = inference_builder(
    [Row(128, 4, 2, 1), Row(256, 4, 2, 1), Row(512, 4, 2, 1), Row(512, 4, 2, 1)],
    latents=5,
    head=Row(5, 4, 2, 1),
)
