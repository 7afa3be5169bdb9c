"""The divergence triangle's nets for dynamic textures: clips of 32 frames of 64x64.

They follow the paper's section on dynamic texture synthesis, whose tables are lost.

| layer | generator                 | energy                    | inference                 |
|-------|---------------------------|---------------------------|---------------------------|
| 1     | 512, 4 from z; 1, BN      | 64, 4, s2 p1; 4, s2 p1    | 64, 4, s2 p1; 4, s2 p1    |
| 2     | 512, 4, s2 p1; 4, s2 p1, BN | 128, 4, s2 p1; 4, s2 p1 | 128, 4, s2 p1; 4, s2 p1   |
| 3     | 256, 4, s2 p1; 4, s2 p1, BN | 128, the map; 4, s2 p1  | 256, 4, s2 p1; 4, s2 p1   |
| 4     | 128, 4, s2 p1; 4, s2 p1, BN | -                       | 512, 4, s2 p1; 4, s2 p1   |
| top   | channels, 4, s2 p1; 4, s2 p1 | 1, the map; 1          | 2 dim z, the map; 3, s1 p1 |

Filters, size in space, stride s, padding p; then the same in time, in frames. Biases in the tops
alone, and none in the energy's. ReLU in the generator and tanh at its end, leaky ReLU in the
others; weights start at N(0, 0.02²).

There are 10 latents for every 16 frames: 2x1x1 places for a clip of 32. More of them in time make a
longer clip. The film is stationary in time, and not in space: latents and the energy's last layers
see whole frames.

The paper gives the latents, the energy's filters, the sizes of the inference net but for the time
of its last layer, and "kernel size 5" of the generator's second layer. That one is 4 here, so that
clips double. The generator's and the inference net's filters, and that the energy's top is linear,
are ours. Clips of other sizes that 16 divides have larger first and last layers.
"""

from tfgen.nets.architectures.builders import energy_builder, generator_builder, inference_builder
from tfgen.nets.architectures.tables import WHOLE, Row
from tfgen.nets.convolution.frames import Taps

HALVED = Taps(4, 2, 1)


def _halving(filters: int) -> Row:
    """Returns a layer between clips and those of half their frames, rows and columns."""
    return Row(filters, 4, 2, 1, time=HALVED)


generator = generator_builder(
    [Row(512, WHOLE, time=Taps(1)), _halving(512), _halving(256), _halving(128), _halving(3)],
    latents=10,
    latent_map=True,
)
energy = energy_builder([_halving(64), _halving(128), Row(128, WHOLE, time=HALVED)])
inference = inference_builder(
    [_halving(64), _halving(128), _halving(256), _halving(512)],
    latents=10,
    head=Row(10, WHOLE, time=Taps(3, 1, 1)),
)
