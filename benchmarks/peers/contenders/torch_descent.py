"""Descent to minima in PyTorch, eager or with the energy compiled.

python -m benchmarks.peers.contenders torch_descent WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets


class Descent:
    """Down an energy."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known = work.constants
        energy = torch_nets.Energy(work.nets["energy"]).requires_grad_(False)
        energy = energy.to(memory_format=torch_nets.layout_of(options))
        self.energy = torch.compile(energy) if options.compiled else energy

    def ends(self, x):
        """Where images are after so many steps, their energies, and the norms of their slopes."""
        first = self.known["step_size"]
        u, slope, norm = self._downhill(x)
        step = torch.full_like(u, first)
        for _ in range(self.known["steps"]):
            resting = (norm <= self.known["tolerance"]) | (step < self.known["min_step"] * first)
            if resting.all():
                break
            tried = (x - _shaped(step) * slope).clamp(*self.known["bounds"])
            found = self._downhill(tried)
            lower = self._lower(u, norm, found[0], found[2])
            moved = lower & ~resting
            there, here = (tried, *found), (x, u, slope, norm)
            x, u, slope, norm = (_chosen(moved, a, b) for a, b in zip(there, here, strict=True))
            step = torch.where(
                resting, step, torch.where(lower, (2 * step).clamp(max=first), step / 2)
            )
        return x, u, norm

    def _downhill(self, x):
        """The energy, its slope less what leads out of the bounds, and the norm of that."""
        low, high = self.known["bounds"]
        u, slope = torch_nets.value_and_grad(self.energy, x)
        outward = ((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0))
        slope = slope.masked_fill(outward, 0.0)
        return u, slope, torch.linalg.vector_norm(slope, dim=(1, 2, 3))

    @staticmethod
    def _lower(u, norm, other_u, other_norm):
        """Which images would come lower."""
        alike = (other_u - u).abs() <= 1e-6 * u.abs().clamp(min=1.0)
        return torch.where(alike, other_norm <= norm, other_u < u)


def _chosen(which, a, b):
    return torch.where(_shaped(which) if a.dim() > 1 else which, a, b)


def _shaped(each):
    return each.reshape(-1, 1, 1, 1)


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    descent = Descent(work, options)
    start = torch_nets.channels_first(work.arrays["start"], torch_nets.layout_of(options))

    def answer():
        x, u, norm = descent.ends(start)
        return {"ends": torch_nets.channels_last(x), "energies": u.numpy(), "slopes": norm.numpy()}

    return contender.Entry(torch.__version__, answer, lambda: descent.ends(start))
