"""Nets of PyTorch with a workload's weights; images are [b, c, h, w]."""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from benchmarks.peers.workload import Layer

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "swish": nn.SiLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}


def net_of(layers: Sequence[Layer]) -> nn.Sequential:
    """Returns one layer after the other, a block each."""
    return nn.Sequential(*map(_block, layers))


class Energy(nn.Module):
    """Minus the sum of the last maps, [b]."""

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        self.score = net_of(layers)

    def forward(self, x):
        return -self.score(x).sum(dim=(1, 2, 3))


class Tilted(nn.Module):
    """U(x) = -f(y) + |y|² / 2 with y = (x - mean) / sigma.

    Args:
        score: f, whose maps are summed.
        sigma: standard deviation of the base distribution.
        mean: of the base distribution, one number or one a channel.
    """

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
    """Images of latents [b, d]."""

    def __init__(self, layers: Sequence[Layer]):
        super().__init__()
        self.stack = net_of(layers)

    def forward(self, z):
        return self.stack(z[:, :, None, None])


def value_and_grad(energy, x):
    """Computes U, [b], and dU/dx."""
    x = x.detach().requires_grad_(True)  # no graph of earlier steps is kept
    u = energy(x)
    return u.detach(), torch.autograd.grad(u.sum(), x)[0]


def channels_first(
    array: np.ndarray, layout: torch.memory_format = torch.contiguous_format
) -> torch.Tensor:
    """Returns images [..., h, w, c] as a tensor [..., c, h, w].

    Args:
        array: the images.
        layout: of the result, if it has four axes.
    """
    moved = torch.tensor(array).movedim(-1, -3)
    return moved.contiguous(memory_format=layout) if moved.dim() == 4 else moved.contiguous()


def channels_last(images: torch.Tensor) -> np.ndarray:
    """Returns images [..., c, h, w] as an array [..., h, w, c]."""
    return images.detach().movedim(-3, -1).numpy()


def layout_of(options: argparse.Namespace) -> torch.memory_format:
    """Returns the memory layout that `--channels_last` asks for."""
    return torch.channels_last if options.channels_last else torch.contiguous_format


def per_example(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Returns values [b] in a shape that broadcasts to tensors [b, ...] like another."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


def arguments(words: Sequence[str], *further: str) -> argparse.Namespace:
    """Parses a workload's file, --compiled, --channels_last, and a module's further switches."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    for option in ("compiled", "channels_last", *further):
        parser.add_argument(f"--{option}", action="store_true")
    return parser.parse_args(words)


def _block(layer: Layer) -> nn.Sequential:
    modules: list[nn.Module] = [_conv(layer)]
    if layer.norm is not None:
        modules.append(_norm(layer.norm))
    if layer.activation != "linear":
        modules.append(ACTIVATIONS[layer.activation]())
    return nn.Sequential(*modules)


def _conv(layer: Layer) -> nn.Conv2d | nn.ConvTranspose2d:
    weight = torch.tensor(layer.kernel).permute(3, 2, 0, 1).contiguous()
    out, into = weight.shape[:2]
    has_bias = layer.bias is not None
    sizes = (weight.shape[2:], layer.strides, layer.padding)
    conv: nn.Conv2d | nn.ConvTranspose2d
    if layer.transposed:
        # the kernel is [h, w, filters, in] then, so the first two axes have changed places
        conv = nn.ConvTranspose2d(out, into, *sizes, bias=has_bias)
    else:
        conv = nn.Conv2d(into, out, *sizes, bias=has_bias)
    conv.weight.data = weight
    if has_bias:
        conv.bias.data = torch.tensor(layer.bias)
    return conv


def _norm(rows: np.ndarray) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(rows.shape[1])
    places = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    for place, row in zip(places, rows, strict=True):
        place.data = torch.tensor(row)
    return norm
