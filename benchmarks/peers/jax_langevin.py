"""Langevin dynamics in JAX: a compiled loop written by hand, or of blackjax's kernel.

python -m benchmarks.peers.jax_langevin WORKLOAD.npz [--blackjax]
"""

import argparse

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.peers import contender, workload

ACTIVATIONS = {"relu": jax.nn.relu, "swish": jax.nn.silu, "leaky_relu": lambda r: jnp.maximum(r, 0.2 * r)}


def energy_of(work: workload.Workload):
    """U of images [b, h, w, c]."""
    activation = ACTIVATIONS[work.activation]

    def convolve(x, layer: workload.Layer):
        around = [(layer.padding, layer.padding)] * 2
        y = lax.conv_general_dilated(
            x, layer.kernel, (layer.strides,) * 2, around, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return y if layer.bias is None else y + layer.bias

    def energy(x):
        h = y = x / work.sigma
        for layer in work.layers:
            h = activation(convolve(h, layer))
        f = h if work.top is None else convolve(h, workload.Layer(work.top, None, 1, 0))
        return (y**2).sum((1, 2, 3)) / 2 - f.sum((1, 2, 3))

    return energy


def langevin(slope, step_size: float):
    """One step."""

    def step(key, x):
        return x - step_size**2 / 2 * slope(x) + step_size * jax.random.normal(key, x.shape)

    return step


def by_blackjax(slope, step_size: float):
    """Its stochastic gradient Langevin kernel, on the whole batch as one position: x + η dlog p + √(2η) z."""
    import blackjax

    kernel = blackjax.sgld(lambda x, minibatch: -slope(x))
    return lambda key, x: kernel.step(key, x, (), step_size**2 / 2)


def main() -> None:
    """Serves one workload."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--blackjax", action="store_true")
    options = parser.parse_args()
    work = workload.read(options.workload)
    energy = energy_of(work)
    slope = jax.grad(lambda x: energy(x).sum())
    step = (by_blackjax if options.blackjax else langevin)(slope, work.step_size)

    @jax.jit
    def sample(x):
        keys = jax.random.split(jax.random.key(0), work.steps)
        return lax.fori_loop(0, work.steps, lambda i, x: step(keys[i], x), x)

    def answer():
        return np.asarray(jax.jit(energy)(work.start)), np.asarray(jax.jit(slope)(work.start))

    start = jnp.asarray(work.start)
    contender.serve(jax.__version__, answer, lambda: sample(start).block_until_ready())


if __name__ == "__main__":
    main()
