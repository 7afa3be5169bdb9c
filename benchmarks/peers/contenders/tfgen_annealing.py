"""Annealed importance sampling by tfgen.

python -m benchmarks.peers.contenders tfgen_annealing WORKLOAD.npz
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import energies, random
from tfgen.analysis.annealing_path import AnnealingPath, AnnealingSchedule
from tfgen.distributions import Uniform
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    uniform = Uniform()
    first = uniform.unconstrained_energy(uniform.energy)
    last = uniform.unconstrained_energy(tfgen_nets.small_energy(work))
    path = AnnealingPath(first, last, start.shape, known["leapfrog_steps"], jit=False)
    count = known["temperatures"]
    step_sizes = np.full(count, known["step_size"])
    schedule = AnnealingSchedule(np.linspace(0, 1, count + 1), step_sizes)

    @tf.function(autograph=False)
    def value_and_grad(y):
        return energies.value_and_grad(last, y)

    def run():
        return path.anneal(start, schedule, random.root(known["seed"]))

    def answer():
        u, gradient = value_and_grad(start)
        found = run()
        at_start = {"energies": u.numpy(), "gradients": gradient.numpy()}
        return at_start | {"ends": found.x, "log_weights": found.log_weight}

    return contender.Entry(__version__, answer, run)
