"""A step of the divergence triangle by tfgen, as its users have it.

python -m benchmarks.peers.contenders tfgen_triangle WORKLOAD.npz
"""

import functools
from collections.abc import Sequence

import keras
import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import random
from tfgen.algorithms.divergence_triangle import ROLES, DivergenceTriangle
from tfgen.nets.families import triangle_cifar10
from tfgen.version import __version__

COMPARED = ("kl_q_p", "latent_nll", "reconstruction_error", "energy_data", "energy_samples")
"""Of what a step logs, beside the norms of gradients."""


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file and options."""
    work = workload.read(words[0])
    known, images = work.constants, tf.constant(work.arrays["images"])
    shape = tuple(images.shape[1:])
    nets = {
        role: tfgen_nets.load(
            getattr(triangle_cifar10, role)(shape, width=known["width"]), work.nets[role]
        )
        for role in ROLES
    }
    algorithm = DivergenceTriangle(**nets, image_shape=shape, preset="official")
    adam = functools.partial(
        keras.optimizers.Adam, known["rate"], known["beta_1"], global_clipnorm=known["clip_norm"]
    )
    algorithm.compile({role: adam() for role in ROLES})
    batch = {"image": images, "index": tf.range(len(images))}
    update = tf.function(algorithm.update, autograph=False)

    def run():
        return {name: value.numpy() for name, value in update(batch, random.root(1)).items()}

    def answer():
        logs = run()
        return {name: logs[name] for name in (*COMPARED, *(f"{role}_grad_norm" for role in ROLES))}

    return contender.Entry(__version__, answer, run)
