"""Nets of PyTorch with a workload's weights; images are [b, c, h, w]."""

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from benchmarks.peers.workload import Layer

ACTIVATIONS = {
    "relu": nn.ReLU,
    "swish": nn.SiLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}


def net_of(layers: Sequence[Layer]) -> nn.Sequential:
    """One layer after the other: a block each."""
    return nn.Sequential(*map(_block, layers))


class Energy(nn.Module):
    """Minus the sum of the last maps, [b]."""

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        self.score = net_of(layers)

    def forward(self, x):
        return -self.score(x).sum(dim=(1, 2, 3))


class Tilted(nn.Module):
    """U(x) = -f(y) + |y|² / 2 with y = (x - mean) / sigma, of a score f: the sum of a net's maps."""

    def __init__(self, score: nn.Module, sigma: float, mean: float | Sequence[float] = 0.0):
        super().__init__()
        self.score, self.sigma = score, sigma
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1), persistent=False)

    def forward(self, x):
        y = (x - self.mean) / self.sigma
        return (y**2).sum(dim=(1, 2, 3)) / 2 - self.score(y).sum(dim=(1, 2, 3))


class Inference(nn.Module):
    """The mean and the log-variance of q(z|x), [b, d] each."""

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        *body, mean, log_var = layers
        self.body, self.mean, self.log_var = net_of(body), _block(mean), _block(log_var)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h).flatten(1), self.log_var(h).flatten(1)


class Generator(nn.Module):
    """Latents [b, d] to images."""

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        self.stack = net_of(layers)

    def forward(self, z):
        return self.stack(z[:, :, None, None])


def value_and_grad(energy, x):
    """U [b] and dU/dx."""
    x = x.detach().requires_grad_(True)
    u = energy(x)
    return u.detach(), torch.autograd.grad(u.sum(), x)[0]


def channels_first(
    array: np.ndarray, layout: torch.memory_format = torch.contiguous_format
) -> torch.Tensor:
    """Images [..., h, w, c] as [..., c, h, w]; the layout is of those of four axes."""
    moved = torch.tensor(array).movedim(-1, -3)
    return moved.contiguous(memory_format=layout) if moved.dim() == 4 else moved.contiguous()


def channels_last(images: torch.Tensor) -> np.ndarray:
    """Images [..., c, h, w] as an array [..., h, w, c]."""
    return images.detach().movedim(-3, -1).numpy()


def layout_of(options: argparse.Namespace) -> torch.memory_format:
    """What `--channels_last` says."""
    return torch.channels_last if options.channels_last else torch.contiguous_format


def arguments(words: Sequence[str], *further: str) -> argparse.Namespace:
    """What a module is called with: a workload, `--compiled`, `--channels_last`, and what it alone has."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    for option in ("compiled", "channels_last", *further):
        parser.add_argument(f"--{option}", action="store_true")
    return parser.parse_args(words)


def _block(layer: Layer) -> nn.Sequential:
    modules = [_conv(layer)]
    if layer.norm is not None:
        modules.append(_norm(layer.norm))
    if layer.activation != "linear":
        modules.append(ACTIVATIONS[layer.activation]())
    return nn.Sequential(*modules)


def _conv(layer: Layer) -> nn.Conv2d | nn.ConvTranspose2d:
    weight = torch.tensor(layer.kernel).permute(3, 2, 0, 1).contiguous()
    kind, (into, out) = nn.Conv2d, (weight.shape[1], weight.shape[0])
    if layer.transposed:
        kind, (into, out) = nn.ConvTranspose2d, (out, into)
    conv = kind(
        into, out, weight.shape[2:], layer.strides, layer.padding, bias=layer.bias is not None
    )
    conv.weight.data = weight
    if layer.bias is not None:
        conv.bias.data = torch.tensor(layer.bias)
    return conv


def _norm(rows: np.ndarray) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(rows.shape[1])
    places = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    for place, row in zip(places, rows, strict=True):
        place.data = torch.tensor(row)
    return norm
