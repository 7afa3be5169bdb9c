"""Descent to minima by tfgen, as its mapping of landscapes does it.

python -m benchmarks.peers.contenders tfgen_descent WORKLOAD.npz
"""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import random
from tfgen.samplers import Descent, run
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    energy = tfgen_nets.small_energy(work)
    bounds = tuple(known["bounds"])
    kernel = Descent(known["step_size"], known["tolerance"], known["min_step"], bounds)

    @tf.function(autograph=False)
    def descend(x):
        x, summary = run(kernel, energy, x, random.root(0), known["steps"])
        return {"ends": x, "energies": energy(x), "slopes": summary.last.grad_norm}

    def outputs():
        return {name: tensor.numpy() for name, tensor in descend(start).items()}

    return contender.Entry(__version__, outputs, outputs)
