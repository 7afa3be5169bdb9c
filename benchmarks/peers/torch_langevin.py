"""Langevin dynamics in PyTorch: written by hand, or by torchebm's sampler; eager or compiled.

python -m benchmarks.peers.torch_langevin WORKLOAD.npz [--compiled] [--channels_last] [--torchebm]
"""

import argparse

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import contender, workload

ACTIVATIONS = {
    "relu": functional.relu,
    "swish": functional.silu,
    "leaky_relu": lambda r: functional.leaky_relu(r, 0.2),
}


class Energy(nn.Module):
    """U of images [b, c, h, w]."""

    def __init__(self, work: workload.Workload):
        super().__init__()
        self.convs = nn.ModuleList(_conv(layer) for layer in work.layers)
        self.top = None if work.top is None else _conv(workload.Layer(work.top, None, 1, 0))
        self.activation = ACTIVATIONS[work.activation]
        self.sigma = work.sigma
        self.requires_grad_(False)  # nothing is spent on the weights' gradients

    def forward(self, x):
        h = y = x / self.sigma
        for conv in self.convs:
            h = self.activation(conv(h))
        f = (h if self.top is None else self.top(h)).sum(dim=(1, 2, 3))
        return (y**2).sum(dim=(1, 2, 3)) / 2 - f


def _conv(layer: workload.Layer) -> nn.Conv2d:
    height, width, channels, filters = layer.kernel.shape
    conv = nn.Conv2d(channels, filters, (height, width), layer.strides, layer.padding, bias=layer.bias is not None)
    conv.weight.data = torch.tensor(layer.kernel).permute(3, 2, 0, 1).contiguous()
    if layer.bias is not None:
        conv.bias.data = torch.tensor(layer.bias)
    return conv


def slope(energy, x):
    """U and dU/dx."""
    x = x.detach().requires_grad_(True)
    u = energy(x)
    return u, torch.autograd.grad(u.sum(), x)[0]


def langevin(energy, x, step_size: float, steps: int):
    """The last x."""
    for _ in range(steps):
        _, gradient = slope(energy, x)
        x = x - step_size**2 / 2 * gradient + step_size * torch.randn_like(x)
    return x


def by_torchebm(energy, step_size: float):
    """Its sampler: x - η dU/dx + √(2η) scale z, here with η = ε²/2 and scale 1."""
    from torchebm.core import BaseModel
    from torchebm.samplers import LangevinDynamics

    class Model(BaseModel):
        def forward(self, x):
            return energy(x)

    sampler = LangevinDynamics(Model(), step_size=step_size**2 / 2, noise_scale=1.0, device="cpu")
    return lambda x, steps: sampler.sample(x=x, n_steps=steps)


def main() -> None:
    """Serves one workload."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    for option in ("compiled", "channels_last", "torchebm"):
        parser.add_argument(f"--{option}", action="store_true")
    options = parser.parse_args()
    work = workload.read(options.workload)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    energy = Energy(work).to(memory_format=layout)
    energy = torch.compile(energy) if options.compiled else energy
    start = torch.tensor(work.start).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    sample = by_torchebm(energy, work.step_size) if options.torchebm else None

    def answer():
        u, gradient = slope(energy, start)
        return u.detach().numpy(), gradient.permute(0, 2, 3, 1).numpy()

    def run():
        if sample is not None:
            return sample(start, work.steps)
        return langevin(energy, start, work.step_size, work.steps)

    contender.serve(torch.__version__, answer, run)


if __name__ == "__main__":
    main()
