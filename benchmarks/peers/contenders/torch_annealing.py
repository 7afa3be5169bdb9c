"""Annealed importance sampling in PyTorch, eager or with the energy compiled.

What is known of a point does not depend on the temperature, so a trajectory's last gradient is the
next one's first.

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
"""Draws the momenta and the uniform numbers of a temperature, given its number."""


class Point(NamedTuple):
    """Chains, and what is known of where they are.

    Attributes:
        y: the unconstrained points.
        energy: of the images, [b].
        gradient: of the energy, in y.
        volume: -log |dx / dy|, [b]; its gradient in y is x.
        x: the images.
    """

    y: torch.Tensor
    energy: torch.Tensor
    gradient: torch.Tensor
    volume: torch.Tensor
    x: torch.Tensor


class Annealing:
    """The way from uniform images to an energy.

    Args:
        work: holds the net and the constants.
        options: compiled.
    """

    def __init__(self, work: workload.Workload, options: argparse.Namespace):
        self.known = work.constants
        energy = torch_nets.Energy(work.nets["energy"]).requires_grad_(False)
        self.energy = torch.compile(energy) if options.compiled else energy

    def follow(self, y: torch.Tensor, draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Moves chains through all temperatures.

        Args:
            y: where they start.
            draw: their random numbers.

        Returns:
            Where they end, and their log-weights, [b].
        """
        count, uniform = self.known["temperatures"], math.prod(y.shape[1:]) * math.log(2)
        here, log_weight = self.point(y), torch.zeros(len(y))
        for number in range(count):
            log_weight -= (here.energy - uniform) / count
            here = self._moved(here, (number + 1) / count, *draw(number))
        return here.y, log_weight

    def point(self, y: torch.Tensor) -> Point:
        """Computes what is known of points."""
        x = torch.tanh(y / 2)
        energy, gradient = torch_nets.value_and_grad(self.energy, x)
        volume = (y + 2 * functional.softplus(-y) - math.log(2)).sum(dim=(1, 2, 3))
        return Point(y, energy, gradient * (1 - x**2) / 2, volume, x)

    def _moved(self, here: Point, beta: float, momentum, level) -> Point:
        """Moves chains by a trajectory of one temperature, where it is accepted."""
        step, there = self.known["step_size"], here
        before = _hamiltonian(here, beta, momentum)
        momentum = momentum - step / 2 * (here.x + beta * here.gradient)
        for left in reversed(range(self.known["leapfrog_steps"])):
            there = self.point(there.y + step * momentum)
            length = step if left else step / 2
            momentum = momentum - length * (there.x + beta * there.gradient)
        is_accepted = torch.log(level) < before - _hamiltonian(there, beta, momentum)
        chosen = []
        for new, old in zip(there, here, strict=True):
            chosen.append(torch.where(torch_nets.per_example(is_accepted, new), new, old))
        return Point(*chosen)


def _hamiltonian(point: Point, beta: float, momentum):
    """Computes the Hamiltonian up to a constant, [b]."""
    return point.volume + beta * point.energy + (momentum**2).sum(dim=(1, 2, 3)) / 2


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    options = torch_nets.arguments(words)
    work = workload.read(options.workload)
    annealing, start = Annealing(work, options), torch_nets.channels_first(work.arrays["start"])
    momenta = torch_nets.channels_first(work.arrays["momenta"])
    levels = torch.tensor(work.arrays["levels"])

    def given(number):
        return momenta[number], levels[number]

    def drawn(number):
        del number
        return torch.randn_like(start), torch.rand(len(start))

    def answer():
        here = annealing.point(start)
        ends, log_weight = annealing.follow(start, given)
        return {
            "energies": (here.energy + here.volume).numpy(),
            "gradients": torch_nets.channels_last(here.gradient + here.x),
            "ends": torch_nets.channels_last(ends),
            "log_weights": log_weight.numpy(),
        }

    return contender.Entry(torch.__version__, answer, lambda: annealing.follow(start, drawn))
