"""Synthesis by introspective networks: a texture moves under a classifier that sees some patches of it at a step.

A patch descends softplus(-f(x)) with f the classifier's log-odds; a pixel's slope is the mean over the patches that
cover it; Adam moves the pixels within [-1, 1]; it would end where the objective falls to a threshold, here 0.
"""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import rates
from tfgen import patches, random
from tfgen.nets.families import dcgan64


@dataclasses.dataclass(frozen=True)
class SynthesisSteps(Comparison):
    """Steps of one texture; what it becomes is compared, objectives on the way, and norms of slopes.

    Args:
        side: of the texture with its padding.
        seen: side of a patch.
        number: patches of a step.
        width: factor on the numbers of filters.
        times: steps a timed run.
    """

    side: int = 320
    seen: int = 64
    number: int = 10
    width: float = 1.0
    times: int = 5

    contenders: ClassVar = {
        OURS: ["tfgen_synthesis"],
        "PyTorch": ["torch_synthesis"],
        "PyTorch, channels last": ["torch_synthesis", "--channels_last"],
        "PyTorch, compiled": ["torch_synthesis", "--compiled"],
    }

    @property
    def title(self) -> str:
        return (
            f"Synthesis by introspective networks, a texture of {self.side}x{self.side}x3 with its padding, "
            f"{self.number} patches of {self.seen}x{self.seen} a step"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.seen, self.seen, 3)
        net = drawn(dcgan64.discriminator(shape, width=self.width))
        constants = {
            "width": self.width,
            "seen": self.seen,
            "step_size": 0.01,
            "beta_1": 0.5,
            "threshold": 0.0,
        }
        start = np.clip(0.3 * random.normal((1, self.side, self.side, 3), random.root(0)), -1, 1)
        operations = self.times * self.number * 2 * rates.operations(net, shape)
        arrays = {"start": start, "places": self._places()}
        return Workload({"classifier": tfgen_nets.layers_of(net)}, constants, arrays), operations

    def _places(self) -> np.ndarray:
        """The rows and columns that tfgen's patches begin at with this seed, [steps, number, 2]."""
        found = []
        for step in range(self.times):
            seed, _ = random.split(random.fold_in(random.root(1), step))
            at = patches.places(
                tf.zeros(self.number, tf.int32), self.side, self.side, self.seen, seed
            )
            found.append(np.stack([at.top, at.left], axis=1))
        return np.stack(found)
