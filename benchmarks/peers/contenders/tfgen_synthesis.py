"""Synthesis by introspective networks by tfgen.

python -m benchmarks.peers.contenders tfgen_synthesis WORKLOAD.npz
"""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.speed import introspective
from tfgen import random
from tfgen.models import Synthesis
from tfgen.nets.families import dcgan64
from tfgen.samplers import run
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    net = dcgan64.discriminator((known["seen"], known["seen"], 3), width=known["width"])
    tfgen_nets.load("discriminator", net, work.nets["classifier"])
    steps = len(work.arrays["places"])

    def log_odds(x):
        return net(x, training=False)

    threshold = tf.constant(1e6)  # of log-odds, whose objective is the workload's threshold, 0
    kernel, energy = synthesis_of(work).across(log_odds, threshold, start.shape)

    @tf.function(autograph=False)
    def moved(x):
        return run(kernel, energy, x, random.root(1), steps)

    def answer():
        x, summary = moved(start)
        found = {"textures": x, "objectives": summary.mean.energy, "slopes": summary.mean.grad_norm}
        return {name: tensor.numpy() for name, tensor in found.items()}

    return contender.Entry(__version__, answer, lambda: moved(start)[0].numpy())


def synthesis_of(work: workload.Workload) -> Synthesis:
    """Returns a synthesis with the workload's constants."""
    steps, number, _ = work.arrays["places"].shape
    return introspective.synthesis_of(
        work.arrays["start"].shape,
        patch_size=work.constants["seen"],
        patches=number,
        num_steps=steps,
        step_size=work.constants["step_size"],
        beta_1=work.constants["beta_1"],
    )
