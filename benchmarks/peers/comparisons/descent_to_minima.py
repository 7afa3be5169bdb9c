"""Descent to the minima of an energy of images, as its landscape is mapped.

x ← x - s dU/dx within bounds. For each image s is halved if its energy would rise, and doubled, up
to the first s, after it fell. Between energies that agree to a relative 1e-6, the smaller gradient
decides. A gradient that leads out of the bounds does not count. An image rests when the norm of its
gradient is at most a tolerance, or its step a millionth of the first.
"""

import dataclasses
from typing import ClassVar

from benchmarks.peers.comparisons.comparison import Comparison, by_torch
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import net_parts
from benchmarks.speed.options import OURS
from tfgen import random
from tfgen.nets.families import triangle_mnist


@dataclasses.dataclass(frozen=True)
class DescentToMinima(Comparison):
    """Steps of some images.

    Where they end is compared, with the energy and the norm of its gradient there.

    Args:
        side: of the images, a multiple of 4.
        batch: images.
        width: factor on the numbers of filters.
        times: steps of a timed run.
    """

    side: int = 28
    batch: int = 200
    width: float = 1.0
    times: int = 20

    contenders: ClassVar = {OURS: ["tfgen_descent"], **by_torch("torch_descent")}

    @property
    def title(self) -> str:
        return (
            f"Descent to minima of a small energy, {self.side}x{self.side}x1, {self.batch} images"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 1)
        net = tfgen_nets.draw("energy", triangle_mnist.energy(shape, width=self.width))
        constants = {
            "width": self.width,
            "steps": self.times,
            "step_size": 0.01,
            "tolerance": 0.01,
            "min_step": 1e-6,
            "bounds": [-1.0, 1.0],
        }
        start = random.uniform((self.batch, *shape), random.root(0), -1.0, 1.0).numpy()
        gradients = (self.times + 1) * self.batch
        operations = gradients * 2 * net_parts.operations("energy", net, shape)
        nets = {"energy": tfgen_nets.layers_of("energy", net)}
        return Workload(nets, constants, {"start": start}), operations
