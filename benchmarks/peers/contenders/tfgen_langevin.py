"""Langevin dynamics by tfgen.

python -m benchmarks.peers.contenders tfgen_langevin WORKLOAD.npz
"""

import importlib
from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import energies, random
from tfgen.samplers import Langevin, run
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    family = importlib.import_module(f"tfgen.nets.families.{known['family']}")
    net = tfgen_nets.load("energy", family.energy(start.shape[1:]), work.nets["energy"])
    energy = energies.tilted(energies.frozen(net), known["sigma"])
    kernel = Langevin(known["step_size"])

    @tf.function(autograph=False)
    def sample(x):
        return run(kernel, energy, x, random.root(1), known["steps"])[0]

    @tf.function(autograph=False)
    def value_and_grad(x):
        return energies.value_and_grad(energy, x)

    def answer():
        u, gradient = value_and_grad(start)
        return {"energies": u.numpy(), "gradients": gradient.numpy()}

    return contender.Entry(__version__, answer, lambda: sample(start).numpy())
