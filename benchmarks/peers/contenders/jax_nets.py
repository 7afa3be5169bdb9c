"""Nets of JAX with a workload's weights, as functions of weights and images [b, h, w, c]."""

from collections.abc import Sequence

import jax
from jax import lax
from jax import numpy as jnp

from benchmarks.peers.workload import Layer

ACTIVATIONS = {
    "linear": lambda r: r,
    "relu": jax.nn.relu,
    "swish": jax.nn.silu,
    "leaky_relu": lambda r: jnp.maximum(r, 0.2 * r),
    "tanh": jnp.tanh,
}
IMAGES = ("NHWC", "HWIO", "NHWC")


def parameters(layers: Sequence[Layer]) -> list[dict]:
    """Returns the trainable arrays of each layer, by name."""
    found = []
    for layer in layers:
        own = {"kernel": layer.kernel, "bias": layer.bias}
        if layer.norm is not None:
            own |= {"gain": layer.norm[0], "shift": layer.norm[1]}
        found.append({name: jnp.asarray(array) for name, array in own.items() if array is not None})
    return found


def applied(layers: Sequence[Layer], weights: Sequence[dict], x):
    """Applies one layer after the other, with these weights.

    Responses are normalized by the batch's own statistics.
    """
    for layer, own in zip(layers, weights, strict=True):
        x = _convolved(layer, own["kernel"], x)
        if "bias" in own:
            x = x + own["bias"]
        if "gain" in own:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            x = (x - mean) * lax.rsqrt(variance + 1e-5) * own["gain"] + own["shift"]
        x = ACTIVATIONS[layer.activation](x)
    return x


def _convolved(layer: Layer, kernel, x):
    strides, around = (layer.strides,) * 2, layer.padding
    if not layer.transposed:
        pads = [(around, around)] * 2
        return lax.conv_general_dilated(x, kernel, strides, pads, dimension_numbers=IMAGES)
    # JAX pads the dilated input, other libraries cut the output
    pads = [(side - 1 - around,) * 2 for side in kernel.shape[:2]]
    return lax.conv_transpose(
        x, kernel, strides, pads, dimension_numbers=IMAGES, transpose_kernel=True
    )
