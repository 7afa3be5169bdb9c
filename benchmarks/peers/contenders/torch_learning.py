"""Learning iterations of the generative ConvNet in PyTorch, eager or with the energy of each depth compiled.

python -m benchmarks.peers.contenders torch_learning WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Sequence

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
        optimizer: what makes it, given parameters.
        side: of the images.
        options: compiled, channels_last.
    """

    def __init__(
        self,
        layers: Sequence[workload.Layer],
        known,
        optimizer,
        side: int,
        options: argparse.Namespace,
    ):
        self.known = known
        score = torch_nets.net_of(layers).to(memory_format=torch_nets.layout_of(options))
        densities = [
            torch_nets.Tilted(score[:d], known["sigma"], known["image_mean"])
            for d in range(1, len(layers) + 1)
        ]
        self.densities = (
            [torch.compile(density) for density in densities] if options.compiled else densities
        )
        self.optimizer = optimizer(score.parameters())
        self.areas = {}
        for block, layer in zip(score, layers, strict=True):
            side = (side + 2 * layer.padding - layer.kernel.shape[0]) // layer.strides + 1
            self.areas |= dict.fromkeys(block.parameters(), side**2)

    def sample(self, depth: int, x, steps: int, draw: Draw | None = drawn):
        """Chains after Langevin steps under the net of a depth."""
        density = self.densities[depth - 1].requires_grad_(False)
        return langevin(density, x, self.known["step_size"], steps, draw, self.known["clamp"])

    def descend(self, depth: int, observed, x) -> dict[str, torch.Tensor]:
        """An update of the weights that a depth reaches, and what it logs."""
        density = self.densities[depth - 1].requires_grad_(True)
        self.optimizer.zero_grad()
        data, samples = density(observed).mean(), density(x).mean()
        (data - samples).backward()
        reached = list(density.parameters())
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
        if self.known["map_area_normalization"]:
            gradient = gradient / area
        if self.known["max_gradient"]:
            gradient = gradient * (
                self.known["max_gradient"] / (gradient.abs().max() + 1e-12)
            ).clamp(max=1.0)
        if weight.dim() == 1:
            return self.known["bias_rate"] * gradient
        return gradient + self.known["weight_decay"] * weight


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    known, noise = work.constants, work.arrays["noise"]
    observed = torch_nets.channels_first(work.arrays["observed"], layout)
    start = (
        torch.zeros_like(observed).repeat(noise.shape[1], 1, 1, 1).contiguous(memory_format=layout)
    )

    def optimizer(parameters):
        return torch.optim.SGD(parameters, known["rate"])

    learner = Learner(work.nets["energy"], known, optimizer, observed.shape[2], options)

    def iterations(draw: Draw):
        """One at each depth from chains started anew; what they log, and the last chains."""
        logs = []
        for depth in range(1, len(learner.densities) + 1):
            x = learner.sample(depth, start, len(noise), draw)
            logs.append(learner.descend(depth, observed, x))
        return logs, x

    def answer():
        logs, chains = iterations(lambda number, x: torch_nets.channels_first(noise[number]))
        found = {name: np.array([row[name].item() for row in logs]) for name in logs[0]}
        return found | {"chains": torch_nets.channels_last(chains)}

    return contender.Entry(torch.__version__, answer, lambda: iterations(drawn))
