"""Descent to the minima of an energy of images, as its landscape is mapped.

x ← x - s dU/dx within bounds, s halved for an image whose energy would rise and doubled, up to the first, when it fell.
Where energies are alike to 1e-6 of them, the smaller gradient decides. What would lead out of the bounds is no slope;
an image rests when its slope is at most a tolerance, or its step a millionth of the first.
"""

import dataclasses
from typing import ClassVar

from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import rates
from tfgen import random
from tfgen.nets.families import triangle_mnist


@dataclasses.dataclass(frozen=True)
class DescentToMinima(Comparison):
    """Steps of images; where they end is compared, its energy and slope.

    Args:
        side: of the images, a multiple of 4.
        batch: images.
        width: factor on the numbers of filters.
        times: steps a timed run.
    """

    side: int = 28
    batch: int = 200
    width: float = 1.0
    times: int = 20

    contenders: ClassVar = {
        OURS: ["tfgen_descent"],
        "PyTorch": ["torch_descent"],
        "PyTorch, channels last": ["torch_descent", "--channels_last"],
        "PyTorch, compiled": ["torch_descent", "--compiled"],
    }

    @property
    def title(self) -> str:
        return (
            f"Descent to minima of a small energy, {self.side}x{self.side}x1, {self.batch} images"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 1)
        net = drawn(triangle_mnist.energy(shape, width=self.width))
        constants = {
            "width": self.width,
            "steps": self.times,
            "step_size": 0.01,
            "tolerance": 0.01,
            "min_step": 1e-6,
            "bounds": [-1.0, 1.0],
        }
        start = random.uniform((self.batch, *shape), random.root(0), -1.0, 1.0).numpy()
        operations = (self.times + 1) * 2 * rates.operations(net, shape) * self.batch
        return Workload(
            {"energy": tfgen_nets.layers_of(net)}, constants, {"start": start}
        ), operations
