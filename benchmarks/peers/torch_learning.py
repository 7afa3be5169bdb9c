"""Learning iterations of the generative ConvNet in PyTorch, eager or with the energy of each depth compiled.

python -m benchmarks.peers torch_learning WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import torch

from benchmarks.peers import contender, torch_nets, workload

Draw = Callable[[int, torch.Tensor], torch.Tensor]
"""The noise of a step, as the chains are."""


class Learner:
    """The net at every depth, its optimizer, and the chains."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known, layout = work.constants, torch_nets.layout_of(options)
        layers = work.nets["energy"]
        score = torch_nets.net_of(layers).to(memory_format=layout)
        self.densities = [torch_nets.Tilted(score[:depth], self.known["sigma"]) for depth in range(1, len(layers) + 1)]
        if options.compiled:
            self.densities = [torch.compile(density) for density in self.densities]
        self.optimizer = torch.optim.SGD(score.parameters(), self.known["rate"])
        self.observed = torch_nets.channels_first(work.arrays["observed"], layout)
        self.steps, chains, *_ = work.arrays["noise"].shape
        self.start = torch.zeros_like(self.observed).repeat(chains, 1, 1, 1).contiguous(memory_format=layout)
        self.areas = {}
        side = self.observed.shape[2]
        for block, layer in zip(score, layers, strict=True):
            side = (side + 2 * layer.padding - layer.kernel.shape[0]) // layer.strides + 1
            self.areas |= dict.fromkeys(block.parameters(), side**2)

    def iterations(self, draw: Draw) -> tuple[list[dict[str, torch.Tensor]], torch.Tensor]:
        """One at each depth from chains started anew; what they log, and the last chains."""
        logs = []
        for density in self.densities:
            x = self._sampled(density, self.start, draw)
            logs.append(self._descend(density, x))
        return logs, x

    def _sampled(self, density, x, draw: Draw):
        """The chains after their Langevin steps."""
        density.requires_grad_(False)
        step_size = self.known["step_size"]
        for number in range(self.steps):
            _, gradient = torch_nets.value_and_grad(density, x)
            x = x - step_size**2 / 2 * gradient + step_size * draw(number, x)
        return x

    def _descend(self, density, x) -> dict[str, torch.Tensor]:
        """An update of the weights that this depth reaches."""
        density.requires_grad_(True)
        self.optimizer.zero_grad()
        data, samples = density(self.observed).mean(), density(x).mean()
        (data - samples).backward()
        reached = list(density.parameters())
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in reached])
        for weight in reached:
            weight.grad = self._stabilized(weight.grad / self.areas[weight], weight.detach())
        self.optimizer.step()
        return {"energy_data": data, "energy_samples": samples, "weight_grad_norm": norm}

    def _stabilized(self, gradient, weight):
        gradient = gradient * (self.known["max_gradient"] / (gradient.abs().max() + 1e-12)).clamp(max=1.0)
        if weight.dim() == 1:
            return self.known["bias_rate"] * gradient
        return gradient + self.known["weight_decay"] * weight


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    learner, noise = Learner(work, options), work.arrays["noise"]

    def answer():
        logs, chains = learner.iterations(lambda number, x: torch_nets.channels_first(noise[number]))
        found = {name: np.array([row[name].item() for row in logs]) for name in logs[0]}
        return found | {"chains": torch_nets.channels_last(chains)}

    return contender.Entry(torch.__version__, answer, lambda: learner.iterations(lambda number, x: torch.randn_like(x)))
