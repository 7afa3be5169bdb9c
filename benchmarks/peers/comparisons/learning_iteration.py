"""A learning iteration of the growing generative ConvNet: Langevin steps of chains, then an update.

Chains start anew with each layer that is added. The constants are those of the authors' release, as
in `trainers/flagfiles/generative_convnet_texture.flags`: a variable's gradient is divided by the
area of its maps and scaled down to a largest entry, weights decay, and biases move twice as fast.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from benchmarks.peers.comparisons.comparison import Comparison, by_torch
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import net_parts
from benchmarks.speed.options import OURS
from tfgen import random
from tfgen.nets.architectures.scoring import ScoringFunction
from tfgen.nets.families import generative_convnet_texture

DEPTHS = 3
"""Layers of the texture net."""


@dataclasses.dataclass(frozen=True)
class LearningIteration(Comparison):
    """An iteration at each depth of the growth, from chains started anew.

    What each iteration logs is compared, and the chains at the end.

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
    contenders: ClassVar = {OURS: ["tfgen_learning"], **by_torch("torch_learning")}

    @property
    def title(self) -> str:
        return (
            "A learning iteration of the generative ConvNet as it grows, "
            f"{self.side}x{self.side}x3, {self.chains} chains, {self.langevin_steps} Langevin steps"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 3)
        built = generative_convnet_texture.energy(shape, width=self.width)
        net = tfgen_nets.draw("energy", built, scale=0.01)
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
        observed = random.normal((1, *shape), random.root(0)).numpy() / 2
        arrays = {"observed": observed, "noise": self._noise(shape)}
        nets = {"energy": tfgen_nets.layers_of("energy", net)}
        return Workload(nets, constants, arrays), self._operations(net, shape)

    def _noise(self, shape: tuple[int, int, int]) -> np.ndarray:
        """Returns the noise of Langevin dynamics in an update, [steps, chains, h, w, c]."""
        _, _, seed = random.split(random.root(1), 3)
        size = (self.chains, *shape)
        steps = range(self.langevin_steps)
        return np.stack([random.normal(size, random.fold_in(seed, step)) for step in steps])

    def _operations(self, net: ScoringFunction, shape: tuple[int, int, int]) -> float:
        """Counts the operations of an iteration at each depth.

        Sampling needs gradients in images; learning needs those in weights, and none in images.
        """
        total, lowest = 0.0, 0.0
        for depth in range(1, DEPTHS + 1):
            net.depth = depth
            forward = net_parts.operations("energy", net, shape)
            if depth == 1:
                lowest = forward
            sampling = self.langevin_steps * self.chains * 2 * forward
            learning = (self.chains + 1) * (3 * forward - lowest)
            total += sampling + learning
        return total
