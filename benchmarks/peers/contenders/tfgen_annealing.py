"""Annealed importance sampling by tfgen, as its users have it.

python -m benchmarks.peers.contenders tfgen_annealing WORKLOAD.npz
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import energies, random
from tfgen.analysis.ais import Schedule, Way
from tfgen.distributions import Uniform
from tfgen.nets.families import triangle_mnist
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    net = tfgen_nets.load(
        triangle_mnist.energy(start.shape[1:], width=known["width"]), work.nets["energy"]
    )
    first, last = (Uniform().unconstrained_energy(u) for u in (Uniform().energy, energies.frozen(net)))
    way = Way(first, last, start.shape, known["leapfrog_steps"], jit=False)
    count = known["temperatures"]
    schedule = Schedule(np.linspace(0, 1, count + 1), np.full(count, known["step_size"]))

    def run():
        return way.follow(start, schedule, random.root(known["seed"]))

    def answer():
        u, gradient = tf.function(lambda y: energies.value_and_grad(last, y), autograph=False)(
            start
        )
        found = run()
        at_start = {"energies": u.numpy(), "gradients": gradient.numpy()}
        return at_start | {"ends": found.x, "log_weights": found.log_weight}

    return contender.Entry(__version__, answer, run)
