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
"""For each texture, the rows and columns that the patches of a step begin at."""


class Synthesis:
    """Steps of textures under a classifier.

    Args:
        net: the classifier, as it is while it does not learn.
        known: seen, the side of a patch; step_size, beta_1, threshold.
        layout: of images.
    """

    def __init__(self, net: torch.nn.Module, known: Mapping[str, Any], layout: torch.memory_format):
        self.net, self.known, self.layout = net, known, layout

    def steps(self, start, places: Iterable[Places], scale: float = 1.0):
        """The textures after a step at each set of places, and each step's objective and norm of the slope."""
        x, logs = start.clone(), []
        adam = torch.optim.Adam(
            [x], scale * self.known["step_size"], (self.known["beta_1"], 0.999), eps=1e-8
        )
        for at in places:
            objective, x.grad = self._slope(x, at)
            logs.append((objective.item(), x.grad.norm().item()))
            adam.step()
            x.clamp_(-1, 1)
            if objective <= self.known["threshold"]:
                break
        return x, np.array(logs)

    def _slope(self, x, at: Places):
        """The mean objective of some patches, and the mean at each pixel of the slopes of those that cover it."""
        size = self.known["seen"]
        boxes = [
            (texture, slice(None), slice(top, top + size), slice(left, left + size))
            for texture, corners in enumerate(at)
            for top, left in corners
        ]
        seen = torch.stack([x[box] for box in boxes]).contiguous(memory_format=self.layout)
        objectives, slopes = torch_nets.value_and_grad(
            lambda patch: functional.softplus(-self._log_odds(patch)), seen
        )
        total, cover = torch.zeros_like(x), torch.zeros_like(x[:, :1])
        for box, slope in zip(boxes, slopes, strict=True):
            total[box] += slope
            cover[box] += 1
        return objectives.mean(), total / cover.clamp(min=1)

    def _log_odds(self, patch):
        return self.net(patch).flatten()


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    net = (
        torch_nets.net_of(work.nets["classifier"])
        .to(memory_format=layout)
        .eval()
        .requires_grad_(False)
    )
    synthesis = Synthesis(torch.compile(net) if options.compiled else net, work.constants, layout)
    known = work.arrays["places"][:, None]
    start = torch_nets.channels_first(work.arrays["start"])
    most = start.shape[2] - work.constants["seen"] + 1

    def answer():
        x, logs = synthesis.steps(start, known.tolist())
        objectives, slopes = logs.mean(axis=0)
        return {"textures": torch_nets.channels_last(x), "objectives": objectives, "slopes": slopes}

    def run():
        return synthesis.steps(start, torch.randint(most, known.shape).tolist())

    return contender.Entry(torch.__version__, answer, run)
