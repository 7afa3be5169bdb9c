"""Langevin dynamics: x ← x - ε²/2 dU/dx + ε z with U(x) = -f(y) + |y|² / 2 and y = x / sigma."""

import dataclasses
from types import ModuleType
from typing import ClassVar

from benchmarks.peers.comparisons.comparison import OURS, Comparison, drawn
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import rates
from tfgen import random


@dataclasses.dataclass(frozen=True)
class LangevinDynamics(Comparison):
    """Steps of chains under one energy; energies and their gradients at the start are compared.

    Args:
        title: see the base class.
        family: of the net.
        shape: of images.
        chains: how many.
        times: steps a timed run.
    """

    title: str
    family: ModuleType
    shape: tuple[int, int, int]
    chains: int
    times: int

    contenders: ClassVar = {
        OURS: ["tfgen_langevin"],
        "PyTorch": ["torch_langevin"],
        "PyTorch, channels last": ["torch_langevin", "--channels_last"],
        "PyTorch, compiled": ["torch_langevin", "--compiled"],
        "torchebm": ["torch_langevin", "--torchebm"],
        "JAX": ["jax_langevin"],
        "blackjax": ["jax_langevin", "--blackjax"],
        "TensorFlow Probability": ["tfp_langevin"],
    }

    def work(self) -> tuple[Workload, float]:
        net = drawn(self.family.energy(self.shape))
        constants = {
            "family": self.family.__name__.rpartition(".")[2],
            "sigma": 1 / 127.5,
            "step_size": 0.3 / 127.5,
            "steps": self.times,
        }
        start = random.normal((self.chains, *self.shape), random.root(0)).numpy() / 2
        operations = 2 * rates.operations(net, self.shape) * self.chains * self.times
        return Workload(
            {"energy": tfgen_nets.layers_of(net)}, constants, {"start": start}
        ), operations
