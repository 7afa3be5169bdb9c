"""Langevin dynamics in PyTorch, by hand or by torchebm's sampler; eager or compiled.

python -m benchmarks.peers.contenders torch_langevin WORKLOAD.npz [--compiled] [--channels_last]
    [--torchebm]
"""

from collections.abc import Callable, Sequence

import torch

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import torch_nets

Draw = Callable[[int, torch.Tensor], torch.Tensor]
"""Draws the noise of a step, given its number and the chains."""


def drawn(number: int, x: torch.Tensor) -> torch.Tensor:
    """Draws new noise at every step."""
    del number
    return torch.randn_like(x)


def langevin(
    energy,
    x: torch.Tensor,
    *,
    step_size: float,
    steps: int,
    draw: Draw | None = drawn,
    clamp: bool = False,
) -> torch.Tensor:
    """Moves chains, and returns where they end.

    Args:
        energy: of images.
        x: where the chains start, [b, c, h, w].
        step_size: ε.
        steps: how many.
        draw: the noise; None: no noise.
        clamp: whether x stays in [-1, 1].
    """
    for number in range(steps):
        _, gradient = torch_nets.value_and_grad(energy, x)
        x = x - step_size**2 / 2 * gradient
        if draw is not None:
            x = x + step_size * draw(number, x)
        if clamp:
            x = x.clamp(-1, 1)
    return x


def by_torchebm(energy, step_size: float):
    """Returns its sampler, a function of chains and of the number of steps.

    It moves x by -η dU/dx + √(2η) scale z, here with η = ε²/2 and scale 1.
    """
    # imported here, as only one contender needs it
    from torchebm.core import BaseModel
    from torchebm.samplers import LangevinDynamics

    class Model(BaseModel):
        def forward(self, x):
            return energy(x)

    sampler = LangevinDynamics(Model(), step_size=step_size**2 / 2, noise_scale=1.0, device="cpu")
    return lambda x, steps: sampler.sample(x=x, n_steps=steps)


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    options = torch_nets.arguments(words, "torchebm")
    work, layout = workload.read(options.workload), torch_nets.layout_of(options)
    step_size, steps = work.constants["step_size"], work.constants["steps"]
    score = torch_nets.net_of(work.nets["energy"])
    # the weights need no gradients while sampling
    tilted = torch_nets.Tilted(score, work.constants["sigma"]).requires_grad_(False)
    tilted = tilted.to(memory_format=layout)
    energy = torch.compile(tilted) if options.compiled else tilted
    start = torch_nets.channels_first(work.arrays["start"], layout)
    sample = by_torchebm(energy, step_size) if options.torchebm else None

    def answer():
        u, gradient = torch_nets.value_and_grad(energy, start)
        return {"energies": u.numpy(), "gradients": torch_nets.channels_last(gradient)}

    def run():
        if sample is not None:
            return sample(start, steps)
        return langevin(energy, start, step_size=step_size, steps=steps)

    return contender.Entry(torch.__version__, answer, run)
