"""Synthesis by introspective networks in PyTorch, eager or with the classifier compiled.

python -m benchmarks.peers torch_synthesis WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch.nn import functional

from benchmarks.peers import contender, torch_nets, workload


class Synthesis:
    """A classifier, and steps under it."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known, self.layout = work.constants, torch_nets.layout_of(options)
        net = torch_nets.net_of(work.nets["classifier"]).to(memory_format=self.layout)
        net = net.eval().requires_grad_(False)
        self.net = torch.compile(net) if options.compiled else net

    def steps(self, start, places: Iterable[Sequence[tuple[int, int]]]):
        """The texture after a step at each set of places, and each step's objective and norm of the slope."""
        x, logs = start.clone(), []
        adam = torch.optim.Adam([x], self.known["step_size"], (self.known["beta_1"], 0.999), eps=1e-8)
        for at in places:
            objective, x.grad = self._slope(x, at)
            logs.append((objective.item(), x.grad.norm().item()))
            adam.step()
            x.clamp_(-1, 1)
            if objective <= self.known["threshold"]:
                break
        return x, np.array(logs)

    def _slope(self, x, at: Sequence[tuple[int, int]]):
        """The mean objective of some patches, and the mean at each pixel of the slopes of those that cover it."""
        size = self.known["seen"]
        boxes = [(..., slice(top, top + size), slice(left, left + size)) for top, left in at]
        seen = torch.stack([x[0][box] for box in boxes]).contiguous(memory_format=self.layout)
        objectives, slopes = torch_nets.value_and_grad(lambda patch: functional.softplus(-self._log_odds(patch)), seen)
        total, cover = torch.zeros_like(x), torch.zeros(x.shape[2:])
        for box, slope in zip(boxes, slopes, strict=True):
            total[0][box] += slope
            cover[box] += 1
        return objectives.mean(), total / cover.clamp(min=1)

    def _log_odds(self, patch):
        return self.net(patch).flatten()


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    synthesis, known = Synthesis(work, options), work.arrays["places"]
    start = torch_nets.channels_first(work.arrays["start"])
    most = start.shape[2] - work.constants["seen"] + 1

    def answer():
        x, logs = synthesis.steps(start, known.tolist())
        objectives, slopes = logs.mean(axis=0)
        return {"textures": torch_nets.channels_last(x), "objectives": objectives, "slopes": slopes}

    def run():
        return synthesis.steps(start, torch.randint(most, known.shape).tolist())

    return contender.Entry(torch.__version__, answer, run)
