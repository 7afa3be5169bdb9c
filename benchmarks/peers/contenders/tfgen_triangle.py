"""A step of the divergence triangle by tfgen.

python -m benchmarks.peers.contenders tfgen_triangle WORKLOAD.npz
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from benchmarks.speed.triangle_step import BUILDERS
from tfgen import random
from tfgen.algorithms.divergence_triangle import ROLES, DivergenceTriangle
from tfgen.version import __version__

COMPARED = ("kl_q_p", "latent_nll", "reconstruction_error", "energy_data", "energy_samples")
"""The logged numbers that are compared, beside the norms of gradients."""


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    known, images = work.constants, tf.constant(work.arrays["images"])
    shape = tuple(images.shape[1:])
    nets, adams = {}, {}
    for role in ROLES:
        net = BUILDERS[role](shape, width=known["width"])
        nets[role] = tfgen_nets.load(role, net, work.nets[role])
        adams[role] = keras.optimizers.Adam(known["rate"], known["beta_1"])
    algorithm = DivergenceTriangle(**nets, image_shape=shape, preset="official")
    algorithm.compile(adams, clip_norms=dict.fromkeys(ROLES, known["clip_norm"]))
    batch = {"image": images, "index": tf.range(len(images))}
    update = tf.function(algorithm.update, autograph=False)

    def run():
        return {name: value.numpy() for name, value in update(batch, random.root(1)).items()}

    def answer():
        logs = run()
        compared = [*COMPARED, *(f"{role}_grad_norm" for role in ROLES)]
        return {name: logs[name] for name in compared}

    return contender.Entry(__version__, answer, run)
