"""Synthesis by introspective networks: a texture moves under a classifier of patches.

At each step the classifier sees some patches of the texture. A patch descends softplus(-f(x)),
where f is the log-odds. A pixel's gradient is the mean over the patches that cover it. Adam moves
the pixels within [-1, 1]. Synthesis would end where the objective falls to a threshold, here 0.
"""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from benchmarks.peers.comparisons.comparison import Comparison, by_torch
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import net_parts
from benchmarks.speed.options import OURS
from tfgen import patches, random
from tfgen.nets.families import dcgan64


@dataclasses.dataclass(frozen=True)
class SynthesisSteps(Comparison):
    """Steps of one texture.

    What it becomes is compared, and the objectives and the norms of gradients on the way.

    Args:
        side: of the texture with its padding.
        seen: side of a patch.
        number: patches of a step.
        width: factor on the numbers of filters.
        times: steps of a timed run.
    """

    side: int = 320
    seen: int = 64
    number: int = 10
    width: float = 1.0
    times: int = 5

    contenders: ClassVar = {OURS: ["tfgen_synthesis"], **by_torch("torch_synthesis")}

    @property
    def title(self) -> str:
        return (
            f"Synthesis by introspective networks, a texture of {self.side}x{self.side}x3 with its "
            f"padding, {self.number} patches of {self.seen}x{self.seen} a step"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.seen, self.seen, 3)
        net = dcgan64.discriminator(shape, width=self.width)
        tfgen_nets.draw("discriminator", net)
        constants = {
            "width": self.width,
            "seen": self.seen,
            "step_size": 0.01,
            "beta_1": 0.5,
            "threshold": 0.0,
        }
        noise = random.normal((1, self.side, self.side, 3), random.root(0))
        arrays = {"start": np.clip(0.3 * noise, -1, 1), "places": self._places()}
        gradients = self.times * self.number
        operations = gradients * 2 * net_parts.operations("discriminator", net, shape)
        nets = {"classifier": tfgen_nets.layers_of("discriminator", net)}
        return Workload(nets, constants, arrays), operations

    def _places(self) -> np.ndarray:
        """Returns the rows and columns where tfgen's patches begin, [steps, number, 2]."""
        found = []
        textures = tf.zeros(self.number, tf.int32)
        for step in range(self.times):
            seed, _ = random.split(random.fold_in(random.root(1), step))
            at = patches.places(textures, self.side, self.side, self.seen, seed)
            found.append(np.stack([at.top, at.left], axis=1))
        return np.stack(found)
