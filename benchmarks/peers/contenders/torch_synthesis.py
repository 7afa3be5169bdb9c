"""Synthesis by introspective networks in PyTorch, eager or with the classifier compiled.

python -m benchmarks.peers.contenders torch_synthesis WORKLOAD.npz [--compiled] [--channels_last]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

Places = Sequence[Sequence[tuple[int, int]]]
"""For each texture, the rows and columns where the patches of a step begin."""


class Synthesis:
    """Steps of textures under a classifier.

    Args:
        net: the classifier, in the mode in which it does not learn.
        known: `seen`, the side of a patch; `step_size`, `beta_1`, `threshold`.
        layout: of images.
    """

    def __init__(self, net: torch.nn.Module, known: Mapping[str, Any], layout: torch.memory_format):
        self.net, self.known, self.layout = net, known, layout

    def steps(
        self, start: torch.Tensor, places: Iterable[Places], scale: float = 1.0
    ) -> tuple[torch.Tensor, np.ndarray]:
        """Moves textures by a step at each set of places, until the threshold is reached.

        Args:
            start: the textures, [b, c, h, w].
            places: of the patches that each step sees.
            scale: factor on the step size.

        Returns:
            The textures, and each step's objective and norm of the gradient, [steps, 2].
        """
        x, logs = start.clone(), []
        rate, betas = scale * self.known["step_size"], (self.known["beta_1"], 0.999)
        adam = torch.optim.Adam([x], rate, betas, eps=1e-8)
        for at in places:
            objective, x.grad = self._gradient(x, at)
            logs.append((objective.item(), x.grad.norm().item()))
            adam.step()
            x.clamp_(-1, 1)
            if objective <= self.known["threshold"]:
                break
        return x, np.array(logs)

    def _gradient(self, x: torch.Tensor, at: Places) -> tuple[torch.Tensor, torch.Tensor]:
        """Computes the mean objective of some patches, and its gradient at each pixel.

        A pixel's gradient is the mean over the patches that cover it.
        """
        size = self.known["seen"]
        boxes = []
        for texture, corners in enumerate(at):
            for top, left in corners:
                rows, columns = slice(top, top + size), slice(left, left + size)
                boxes.append((texture, slice(None), rows, columns))
        seen = torch.stack([x[box] for box in boxes]).contiguous(memory_format=self.layout)
        objectives, gradients = torch_nets.value_and_grad(self._objective, seen)
        # patches may overlap
        total, cover = torch.zeros_like(x), torch.zeros_like(x[:, :1])
        for box, gradient in zip(boxes, gradients, strict=True):
            total[box] += gradient
            cover[box] += 1
        return objectives.mean(), total / cover.clamp(min=1)

    def _objective(self, patch):
        return functional.softplus(-self.net(patch).flatten())


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    options = torch_nets.arguments(words)
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    built = torch_nets.net_of(work.nets["classifier"]).to(memory_format=layout)
    net = built.eval().requires_grad_(False)
    synthesis = Synthesis(torch.compile(net) if options.compiled else net, work.constants, layout)
    known = work.arrays["places"][:, None]
    start = torch_nets.channels_first(work.arrays["start"])
    most = start.shape[2] - work.constants["seen"] + 1

    def answer():
        x, logs = synthesis.steps(start, known.tolist())
        objectives, norms = logs.mean(axis=0)
        return {"textures": torch_nets.channels_last(x), "objectives": objectives, "slopes": norms}

    def run():
        return synthesis.steps(start, torch.randint(most, known.shape).tolist())

    return contender.Entry(torch.__version__, answer, run)
