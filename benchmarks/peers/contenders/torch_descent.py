"""Descent to minima in PyTorch, eager or with the energy compiled.

python -m benchmarks.peers.contenders torch_descent WORKLOAD.npz [--compiled] [--channels_last]
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets


class Place(NamedTuple):
    """Where images are.

    Attributes:
        x: the images, [b, c, h, w].
        energy: of each, [b].
        gradient: of the energy, without what leads out of the bounds.
        norm: of the gradient, [b].
    """

    x: torch.Tensor
    energy: torch.Tensor
    gradient: torch.Tensor
    norm: torch.Tensor


class Descent:
    """The descent down an energy.

    Args:
        work: holds the net and the constants.
        options: compiled, channels_last.
    """

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known = work.constants
        energy = torch_nets.Energy(work.nets["energy"]).requires_grad_(False)
        energy = energy.to(memory_format=torch_nets.layout_of(options))
        self.energy = torch.compile(energy) if options.compiled else energy

    def ends(self, x: torch.Tensor) -> Place:
        """Returns where images are after the workload's number of steps."""
        first = self.known["step_size"]
        here = self._place(x)
        step = torch.full_like(here.energy, first)
        for _ in range(self.known["steps"]):
            is_flat = here.norm <= self.known["tolerance"]
            resting = is_flat | (step < self.known["min_step"] * first)
            if resting.all():
                break
            moved = here.x - torch_nets.per_example(step, here.x) * here.gradient
            there = self._place(moved.clamp(*self.known["bounds"]))
            lower = _is_lower(here, there)
            here = _chosen(lower & ~resting, there, here)
            changed = torch.where(lower, (2 * step).clamp(max=first), step / 2)
            step = torch.where(resting, step, changed)
        return here

    def _place(self, x: torch.Tensor) -> Place:
        """Computes what is known of images."""
        low, high = self.known["bounds"]
        energy, gradient = torch_nets.value_and_grad(self.energy, x)
        outward = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        gradient = gradient.masked_fill(outward, 0.0)
        return Place(x, energy, gradient, torch.linalg.vector_norm(gradient, dim=(1, 2, 3)))


def _is_lower(here: Place, there: Place) -> torch.Tensor:
    """Returns which images would come lower, [b]."""
    difference = (there.energy - here.energy).abs()
    alike = difference <= 1e-6 * here.energy.abs().clamp(min=1.0)
    return torch.where(alike, there.norm <= here.norm, there.energy < here.energy)


def _chosen(which: torch.Tensor, first: Place, second: Place) -> Place:
    """Returns the first place of some images, and the second of the others."""
    found = []
    for a, b in zip(first, second, strict=True):
        found.append(torch.where(torch_nets.per_example(which, a), a, b))
    return Place(*found)


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    descent = Descent(work, options)
    start = torch_nets.channels_first(work.arrays["start"], torch_nets.layout_of(options))

    def answer():
        found = descent.ends(start)
        return {
            "ends": torch_nets.channels_last(found.x),
            "energies": found.energy.numpy(),
            "slopes": found.norm.numpy(),
        }

    return contender.Entry(torch.__version__, answer, lambda: descent.ends(start))
