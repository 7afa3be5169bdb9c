"""Langevin dynamics in JAX: a compiled loop, written by hand or of blackjax's kernel.

python -m benchmarks.peers.contenders jax_langevin WORKLOAD.npz [--blackjax]
"""

import argparse
from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import jax_nets

Step = Callable[[jax.Array, jax.Array], jax.Array]
"""Moves chains, given a key of randomness."""


def energy_of(work: workload.Workload):
    """Returns U of images [b, h, w, c]."""
    layers = work.nets["energy"]
    weights = jax_nets.parameters(layers)

    def energy(x):
        y = x / work.constants["sigma"]
        return (y**2).sum((1, 2, 3)) / 2 - jax_nets.applied(layers, weights, y).sum((1, 2, 3))

    return energy


def langevin(gradient, step_size: float) -> Step:
    """Returns a step written by hand."""

    def step(key, x):
        noise = jax.random.normal(key, x.shape)
        return x - step_size**2 / 2 * gradient(x) + step_size * noise

    return step


def by_blackjax(gradient, step_size: float) -> Step:
    """Returns a step of its stochastic gradient Langevin kernel: x + η dlog p + √(2η) z.

    The whole batch is one position.
    """
    import blackjax

    kernel = blackjax.sgld(lambda x, minibatch: -gradient(x))
    return lambda key, x: kernel.step(key, x, (), step_size**2 / 2)


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file and options."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--blackjax", action="store_true")
    options = parser.parse_args(words)
    work = workload.read(options.workload)
    energy, start = energy_of(work), jnp.asarray(work.arrays["start"])
    step_size, steps = work.constants["step_size"], work.constants["steps"]
    gradient = jax.grad(lambda x: energy(x).sum())
    step = (by_blackjax if options.blackjax else langevin)(gradient, step_size)

    @jax.jit
    def sample(x):
        keys = jax.random.split(jax.random.key(0), steps)
        return lax.fori_loop(0, steps, lambda i, x: step(keys[i], x), x)

    def answer():
        return {
            "energies": np.asarray(jax.jit(energy)(start)),
            "gradients": np.asarray(jax.jit(gradient)(start)),
        }

    return contender.Entry(jax.__version__, answer, lambda: sample(start).block_until_ready())
