"""A learning iteration of the generative ConvNet while it grows: Langevin steps of chains, then an update.

Each layer that is added starts the chains anew. Constants are of the authors' release, as
`trainers/flagfiles/generative_convnet_texture.flags` has them: a variable's gradient is divided by the area of its maps
and capped at a largest entry, weights decay, biases move twice as fast.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import rates
from tfgen import random
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.families import generative_convnet_texture

DEPTHS = 3
"""Layers of the texture net."""


@dataclasses.dataclass(frozen=True)
class LearningIteration(Comparison):
    """An iteration at each depth of the growth, from chains started anew; what each logs is compared, and the chains.

    Args:
        side: of the image and the chains.
        chains: how many.
        langevin_steps: of an iteration.
        width: factor on the numbers of filters.
        times: iterations of a timed run, one at each depth.
    """

    side: int = 224
    chains: int = 16
    langevin_steps: int = 10
    width: float = 1.0
    times: int = DEPTHS

    unit: ClassVar = "iteration"
    contenders: ClassVar = {
        OURS: ["tfgen_learning"],
        "PyTorch": ["torch_learning"],
        "PyTorch, channels last": ["torch_learning", "--channels_last"],
        "PyTorch, compiled": ["torch_learning", "--compiled"],
    }

    @property
    def title(self) -> str:
        return (
            f"A learning iteration of the generative ConvNet as it grows, {self.side}x{self.side}x3, "
            f"{self.chains} chains, {self.langevin_steps} Langevin steps"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 3)
        net = drawn(generative_convnet_texture.energy(shape, width=self.width), 0.01)
        constants = {
            "width": self.width,
            "image_mean": 0.0,
            "sigma": 1 / 127.5,
            "step_size": 0.3 / 127.5,
            "clamp": False,
            "rate": 5e-4,
            "map_area_normalization": True,
            "max_gradient": 20.0,
            "weight_decay": 1e-4,
            "bias_rate": 2.0,
        }
        arrays = {
            "observed": random.normal((1, *shape), random.root(0)).numpy() / 2,
            "noise": self._noise(shape),
        }
        return Workload({"energy": tfgen_nets.layers_of(net)}, constants, arrays), self._operations(
            net, shape
        )

    def _noise(self, shape: tuple[int, int, int]) -> np.ndarray:
        """What tfgen's Langevin dynamics draws in an update of this seed, [steps, chains, h, w, c]."""
        seed = random.split(random.root(1), 3)[2]
        steps = range(self.langevin_steps)
        return np.stack(
            [random.normal((self.chains, *shape), random.fold_in(seed, i)).numpy() for i in steps]
        )

    def _operations(self, net: ScoringFunction, shape: tuple[int, int, int]) -> float:
        """Sampling needs gradients in images; learning needs those in weights, and none in images."""
        total = 0.0
        for net.depth in range(1, DEPTHS + 1):
            forward = rates.operations(net, shape)
            if net.depth == 1:
                first = forward
            total += self.langevin_steps * self.chains * 2 * forward + (self.chains + 1) * (
                3 * forward - first
            )
        return total
