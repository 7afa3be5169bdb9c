"""Langevin dynamics by tfgen, as its users have it.

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
    """Given a workload's file and options."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    family = importlib.import_module(f"tfgen.nets.families.{known['family']}")
    net = tfgen_nets.load(family.energy(start.shape[1:]), work.nets["energy"])
    density = energies.tilted(energies.frozen(net), known["sigma"])

    @tf.function(autograph=False)
    def slope(x):
        return energies.value_and_grad(density, x)

    @tf.function(autograph=False)
    def sample(x):
        return run(Langevin(known["step_size"]), density, x, random.root(1), known["steps"])[0]

    def answer():
        energy, gradient = slope(start)
        return {"energies": energy.numpy(), "gradients": gradient.numpy()}

    return contender.Entry(__version__, answer, lambda: sample(start).numpy())
