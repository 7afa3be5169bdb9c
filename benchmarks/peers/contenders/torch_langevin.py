"""Langevin dynamics in PyTorch: written by hand, or by torchebm's sampler; eager or compiled.

python -m benchmarks.peers.contenders torch_langevin WORKLOAD.npz [--compiled] [--channels_last] [--torchebm]
"""

from collections.abc import Callable, Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

Draw = Callable[[int, torch.Tensor], torch.Tensor]
"""The noise of a step, as the chains are."""


def drawn(number: int, x: torch.Tensor) -> torch.Tensor:
    """New noise at every step."""
    del number
    return torch.randn_like(x)


def langevin(
    density, x, step_size: float, steps: int, draw: Draw | None = drawn, clamp: bool = False
):
    """The last x; without a draw there is no noise, with clamp x stays in [-1, 1]."""
    for number in range(steps):
        _, gradient = torch_nets.value_and_grad(density, x)
        x = x - step_size**2 / 2 * gradient
        if draw is not None:
            x = x + step_size * draw(number, x)
        if clamp:
            x = x.clamp(-1, 1)
    return x


def by_torchebm(density, step_size: float):
    """Its sampler: x - η dU/dx + √(2η) scale z, here with η = ε²/2 and scale 1."""
    from torchebm.core import BaseModel
    from torchebm.samplers import LangevinDynamics

    class Model(BaseModel):
        def forward(self, x):
            return density(x)

    sampler = LangevinDynamics(Model(), step_size=step_size**2 / 2, noise_scale=1.0, device="cpu")
    return lambda x, steps: sampler.sample(x=x, n_steps=steps)


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    options = torch_nets.arguments(words, "torchebm")
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    step_size, steps = work.constants["step_size"], work.constants["steps"]
    density = torch_nets.Tilted(torch_nets.net_of(work.nets["energy"]), work.constants["sigma"])
    density = density.requires_grad_(False).to(
        memory_format=layout
    )  # nothing is spent on the weights' gradients
    density = torch.compile(density) if options.compiled else density
    start = torch_nets.channels_first(work.arrays["start"], layout)
    sample = by_torchebm(density, step_size) if options.torchebm else None

    def answer():
        u, gradient = torch_nets.value_and_grad(density, start)
        return {"energies": u.numpy(), "gradients": torch_nets.channels_last(gradient)}

    def run():
        return (
            sample(start, steps)
            if sample is not None
            else langevin(density, start, step_size, steps)
        )

    return contender.Entry(torch.__version__, answer, run)
