"""Synthesis by introspective networks, of tfgen as its users have it.

python -m benchmarks.peers.contenders tfgen_synthesis WORKLOAD.npz
"""

from collections.abc import Sequence

import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import random
from tfgen.models import Synthesis
from tfgen.nets.families import dcgan64
from tfgen.samplers import run
from tfgen.version import __version__


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file."""
    work = workload.read(words[0])
    known, start = work.constants, tf.constant(work.arrays["start"])
    net = dcgan64.discriminator((known["seen"], known["seen"], 3), width=known["width"])
    tfgen_nets.load(net, work.nets["classifier"])
    margin = tf.constant(1e6)  # whose objective is the threshold, 0
    kernel, energy = synthesis_of(work).across(
        lambda x: net(x, training=False), margin, start.shape
    )

    @tf.function(autograph=False)
    def moved(x):
        return run(kernel, energy, x, random.root(1), len(work.arrays["places"]))

    def answer():
        x, summary = moved(start)
        found = {"textures": x, "objectives": summary.mean.energy, "slopes": summary.mean.grad_norm}
        return {name: tensor.numpy() for name, tensor in found.items()}

    return contender.Entry(__version__, answer, lambda: moved(start)[0].numpy())


def synthesis_of(work: workload.Workload) -> Synthesis:
    """With the workload's constants."""
    _, height, width, _ = work.arrays["start"].shape
    steps, number, _ = work.arrays["places"].shape
    return Synthesis(
        optimizer="adam",
        step_size=work.constants["step_size"],
        beta_1=work.constants["beta_1"],
        noise=0.0,
        noise_decay=1.0,
        objective="cross_entropy",
        window=1,
        num_steps=steps,
        sigma=0.3,
        patch_size=work.constants["seen"],
        patches=number,
        area=height * width,
    )
