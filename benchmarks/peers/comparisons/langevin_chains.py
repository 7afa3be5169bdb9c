"""Langevin dynamics: x ← x - ε²/2 dU/dx + ε z with U(x) = -f(y) + |y|² / 2 and y = x / sigma."""

import dataclasses
from types import ModuleType
from typing import ClassVar

from benchmarks.peers.comparisons.comparison import Comparison, by_torch
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from benchmarks.speed import net_parts
from benchmarks.speed.options import OURS
from tfgen import random


@dataclasses.dataclass(frozen=True)
class LangevinDynamics(Comparison):
    """Steps of chains under one energy.

    Energies and their gradients at the start are compared.

    Args:
        net: the net in words.
        family: the module with the net's `energy`.
        shape: height, width, channels.
        chains: how many.
        times: steps of a timed run.
    """

    net: str
    family: ModuleType
    shape: tuple[int, int, int]
    chains: int
    times: int

    contenders: ClassVar = {
        OURS: ["tfgen_langevin"],
        **by_torch("torch_langevin"),
        "torchebm": ["torch_langevin", "--torchebm"],
        "JAX": ["jax_langevin"],
        "blackjax": ["jax_langevin", "--blackjax"],
        "TensorFlow Probability": ["tfp_langevin"],
    }

    @property
    def title(self) -> str:
        shape = "x".join(map(str, self.shape))
        return f"Langevin dynamics on {self.net}, {shape}, {self.chains} chains"

    def work(self) -> tuple[Workload, float]:
        net = tfgen_nets.draw("energy", self.family.energy(self.shape))
        constants = {
            "family": self.family.__name__.rpartition(".")[2],
            "sigma": 1 / 127.5,
            "step_size": 0.3 / 127.5,
            "steps": self.times,
        }
        start = random.normal((self.chains, *self.shape), random.root(0)).numpy() / 2
        gradients = self.chains * self.times
        operations = gradients * 2 * net_parts.operations("energy", net, self.shape)
        nets = {"energy": tfgen_nets.layers_of("energy", net)}
        return Workload(nets, constants, {"start": start}), operations
