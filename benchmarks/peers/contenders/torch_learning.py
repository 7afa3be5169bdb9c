"""Learning iterations of the generative ConvNet in PyTorch, eager or with each depth compiled.

python -m benchmarks.peers.contenders torch_learning WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets
from benchmarks.peers.contenders.torch_langevin import Draw, drawn, langevin


class Learner:
    """The net at every depth, and its optimizer.

    Args:
        layers: of the net.
        known: the algorithm's constants, by the names of its hyperparameters.
        optimizer: makes the optimizer, given parameters.
        side: of the images.
        options: compiled, channels_last.
    """

    def __init__(
        self,
        layers: Sequence[workload.Layer],
        known: Mapping[str, Any],
        optimizer: Callable[..., torch.optim.Optimizer],
        *,
        side: int,
        options: argparse.Namespace,
    ):
        self.known = known
        score = torch_nets.net_of(layers).to(memory_format=torch_nets.layout_of(options))
        self.energies = []
        for depth in range(1, len(layers) + 1):
            energy = torch_nets.Tilted(score[:depth], known["sigma"], known["image_mean"])
            self.energies.append(torch.compile(energy) if options.compiled else energy)
        self.optimizer = optimizer(score.parameters())
        self.areas: dict[torch.Tensor, int] = {}
        # the area of the maps that each variable makes
        for block, layer in zip(score, layers, strict=True):
            side = (side + 2 * layer.padding - layer.kernel.shape[0]) // layer.strides + 1
            self.areas |= dict.fromkeys(block.parameters(), side**2)

    def sample(
        self, depth: int, x: torch.Tensor, *, steps: int, draw: Draw | None = drawn
    ) -> torch.Tensor:
        """Moves chains by Langevin steps under the net of a depth, and returns where they end.

        Args:
            depth: layers in use.
            x: the chains.
            steps: how many.
            draw: the noise; None: no noise.
        """
        energy = self.energies[depth - 1].requires_grad_(False)
        return langevin(
            energy,
            x,
            step_size=self.known["step_size"],
            steps=steps,
            draw=draw,
            clamp=self.known["clamp"],
        )

    def descend(
        self, depth: int, observed: torch.Tensor, x: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Updates the weights that a depth reaches, and returns what is logged.

        Args:
            depth: layers in use.
            observed: images.
            x: the chains.
        """
        energy = self.energies[depth - 1].requires_grad_(True)
        self.optimizer.zero_grad()
        data, samples = energy(observed).mean(), energy(x).mean()
        (data - samples).backward()
        reached = list(energy.parameters())
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in reached])
        for weight in reached:
            weight.grad = self._stabilized(weight.grad, weight.detach(), self.areas[weight])
        self.optimizer.step()
        return {
            "energy_data": data.detach(),
            "energy_samples": samples.detach(),
            "weight_grad_norm": norm,
        }

    def _stabilized(self, gradient, weight, area: int):
        """Treats a gradient as the authors' release does."""
        if self.known["map_area_normalization"]:
            gradient = gradient / area
        if self.known["max_gradient"]:
            largest = gradient.abs().max() + 1e-12
            gradient = gradient * (self.known["max_gradient"] / largest).clamp(max=1.0)
        if weight.dim() == 1:  # a bias, which does not decay
            return self.known["bias_rate"] * gradient
        return gradient + self.known["weight_decay"] * weight


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    options = torch_nets.arguments(words)
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    known, noise = work.constants, work.arrays["noise"]
    observed = torch_nets.channels_first(work.arrays["observed"], layout)
    start = torch.zeros_like(observed).repeat(noise.shape[1], 1, 1, 1)
    start = start.contiguous(memory_format=layout)

    def optimizer(parameters):
        return torch.optim.SGD(parameters, known["rate"])

    layers, side = work.nets["energy"], observed.shape[2]
    learner = Learner(layers, known, optimizer, side=side, options=options)

    def iterations(draw: Draw):
        """Learns once at each depth from chains started anew; returns the logs and the chains."""
        logs = []
        for depth in range(1, len(layers) + 1):
            x = learner.sample(depth, start, steps=len(noise), draw=draw)
            logs.append(learner.descend(depth, observed, x))
        return logs, x

    def answer():
        logs, chains = iterations(lambda number, x: torch_nets.channels_first(noise[number]))
        found = {name: np.array([row[name].item() for row in logs]) for name in logs[0]}
        return found | {"chains": torch_nets.channels_last(chains)}

    return contender.Entry(torch.__version__, answer, lambda: iterations(drawn))
