"""Annealed importance sampling in PyTorch, eager or with the energy compiled.

What is known of a point does not depend on the temperature: a trajectory's last gradient is the next one's first.

python -m benchmarks.peers.contenders torch_annealing WORKLOAD.npz [--compiled]
"""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

Draw = Callable[[int], tuple[torch.Tensor, torch.Tensor]]
"""Momenta and uniform numbers of a temperature."""


class Point(NamedTuple):
    """Chains, and what is known of where they are."""

    y: torch.Tensor
    energy: torch.Tensor
    """Of the images, [b]."""
    slope: torch.Tensor
    """Its gradient in y."""
    volume: torch.Tensor
    """-log |dx / dy|, [b]; its gradient in y is x."""
    x: torch.Tensor


class Annealing:
    """From uniform images to an energy."""

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known = work.constants
        energy = torch_nets.Energy(work.nets["energy"]).requires_grad_(False)
        self.energy = torch.compile(energy) if options.compiled else energy

    def follow(self, y, draw: Draw):
        """Where the chains are after all temperatures, and their log-weights, [b]."""
        count, uniform = self.known["temperatures"], math.prod(y.shape[1:]) * math.log(2)
        here, log_weight = self.point(y), torch.zeros(len(y))
        for number in range(count):
            log_weight -= (here.energy - uniform) / count
            here = self._moved(here, (number + 1) / count, *draw(number))
        return here.y, log_weight

    def point(self, y) -> Point:
        """What is known of y."""
        x = torch.tanh(y / 2)
        energy, gradient = torch_nets.value_and_grad(self.energy, x)
        volume = (y + 2 * functional.softplus(-y) - math.log(2)).sum(dim=(1, 2, 3))
        return Point(y, energy, gradient * (1 - x**2) / 2, volume, x)

    def _moved(self, here: Point, beta: float, momentum, level) -> Point:
        """After a trajectory under the energy of one temperature, or where it was."""
        step, there = self.known["step_size"], here
        before = _hamiltonian(here, beta, momentum)
        momentum = momentum - step / 2 * (here.x + beta * here.slope)
        for left in reversed(range(self.known["leapfrog_steps"])):
            there = self.point(there.y + step * momentum)
            momentum = momentum - (step if left else step / 2) * (there.x + beta * there.slope)
        accepted = torch.log(level) < before - _hamiltonian(there, beta, momentum)
        return Point(
            *(torch.where(_shaped(accepted, a), a, b) for a, b in zip(there, here, strict=True))
        )


def _hamiltonian(point: Point, beta: float, momentum):
    """Less what all points have, [b]."""
    return point.volume + beta * point.energy + (momentum**2).sum(dim=(1, 2, 3)) / 2


def _shaped(accepted, like):
    return accepted.reshape(-1, *[1] * (like.dim() - 1))


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    annealing, start = Annealing(work, options), torch_nets.channels_first(work.arrays["start"])
    momenta, levels = (
        torch_nets.channels_first(work.arrays["momenta"]),
        torch.tensor(work.arrays["levels"]),
    )

    def answer():
        here = annealing.point(start)
        ends, log_weight = annealing.follow(start, lambda number: (momenta[number], levels[number]))
        return {
            "energies": (here.energy + here.volume).numpy(),
            "gradients": torch_nets.channels_last(here.slope + here.x),
            "ends": torch_nets.channels_last(ends),
            "log_weights": log_weight.numpy(),
        }

    def run():
        return annealing.follow(
            start, lambda number: (torch.randn_like(start), torch.rand(len(start)))
        )

    return contender.Entry(torch.__version__, answer, run)
