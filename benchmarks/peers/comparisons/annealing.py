"""Annealed importance sampling from uniform images to an energy of images.

Points y of an unconstrained space stand for images x = tanh(y / 2) in [-1, 1]. U₀ is the energy of
uniform images there, U₁ that of the net. At each of `times` equal steps of β from 0 to 1, the
log-weight gains (U₀ - U₁) dβ; then a trajectory of Hamiltonian Monte Carlo moves under
(1 - β) U₀ + β U₁.

TensorFlow Probability's chain keeps the last temperature's energy for the next trajectory, so its
weights differ; energies and gradients alone are compared with it.

Source: Neal, Annealed importance sampling, 2001.
"""

import dataclasses
from typing import ClassVar

import numpy as np

from benchmarks.peers.comparisons.comparison import Comparison
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import net_parts
from benchmarks.speed.options import OURS
from tfgen import random
from tfgen.distributions import Uniform
from tfgen.nets.families import triangle_mnist


@dataclasses.dataclass(frozen=True)
class AnnealedImportance(Comparison):
    """Temperatures of some chains.

    Energies and gradients at the start are compared, and places and weights at the end.

    Args:
        side: of the images, a multiple of 4.
        chains: how many.
        leapfrog_steps: of a trajectory.
        width: factor on the numbers of filters.
        times: temperatures.
        seed: of what is compared; with the default no acceptance is so close that rounding could
            turn it.
    """

    side: int = 28
    chains: int = 50
    leapfrog_steps: int = 4
    width: float = 1.0
    times: int = 20
    seed: int = 37

    unit: ClassVar = "temperature"
    contenders: ClassVar = {
        OURS: ["tfgen_annealing"],
        "PyTorch": ["torch_annealing"],
        "PyTorch, compiled": ["torch_annealing", "--compiled"],
        "TensorFlow Probability": ["tfp_annealing"],
    }

    @property
    def title(self) -> str:
        return (
            f"Annealed importance sampling of a small energy, {self.side}x{self.side}x1, "
            f"{self.chains} chains, {self.leapfrog_steps} leapfrog steps a temperature"
        )

    def work(self) -> tuple[Workload, float]:
        shape = (self.side, self.side, 1)
        net = tfgen_nets.draw("energy", triangle_mnist.energy(shape, width=self.width))
        constants = {
            "width": self.width,
            "temperatures": self.times,
            "step_size": 0.5,  # most trajectories are accepted, not all
            "leapfrog_steps": self.leapfrog_steps,
            "seed": self.seed,
        }
        images = Uniform().sample((self.chains, *shape), random.root(0))
        start = Uniform().unconstrain(images).numpy()
        gradients = self.times * self.leapfrog_steps * self.chains
        operations = gradients * 2 * net_parts.operations("energy", net, shape)
        nets = {"energy": tfgen_nets.layers_of("energy", net)}
        return Workload(nets, constants, {"start": start} | self._draws(start.shape)), operations

    def _draws(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Returns what tfgen draws with this seed.

        Returns:
            Momenta, and the uniform numbers that acceptance ratios are compared with.
        """
        momenta, levels = [], []
        for number in range(self.times):
            momentum, acceptance = random.split(random.fold_in(random.root(self.seed), number))
            momenta.append(random.normal(shape, momentum))
            levels.append(random.uniform(shape[:1], acceptance))
        return {"momenta": np.stack(momenta), "levels": np.stack(levels)}
