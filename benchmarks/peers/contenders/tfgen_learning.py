"""Learning iterations of the growing generative ConvNet by tfgen.

python -m benchmarks.peers.contenders tfgen_learning WORKLOAD.npz
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks.peers import contender, workload
from benchmarks.peers.contenders import tfgen_nets
from tfgen import random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.nets.families import generative_convnet_texture
from tfgen.version import __version__

COMPARED = ("energy_data", "energy_samples", "weight_grad_norm")
"""The logged numbers that are compared."""
CONSTANTS = (
    "sigma",
    "step_size",
    "clamp",
    "map_area_normalization",
    "max_gradient",
    "weight_decay",
    "bias_rate",
)
"""The workload's constants that are hyperparameters of the algorithm."""


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    work = workload.read(words[0])
    algorithm = algorithm_of(work)
    net, chains = algorithm.model.energy_net, algorithm.model.persistent_chains
    batch = {"image": tf.constant(work.arrays["observed"]), "index": tf.range(1)}
    # a graph for each depth, as growth makes it
    updates = [tf.function(algorithm.update, autograph=False) for _ in work.nets["energy"]]

    def run():
        logs = []
        for depth, update in enumerate(updates, start=1):
            net.depth = depth
            chains.restart()
            found = update(batch, random.root(1))
            logs.append({name: value.numpy() for name, value in found.items()})
        return logs

    def answer():
        logs = run()
        found = {name: np.array([row[name] for row in logs]) for name in COMPARED}
        return found | {"chains": chains.state.numpy()}

    return contender.Entry(__version__, answer, run)


def algorithm_of(work: workload.Workload) -> GenerativeConvNet:
    """Returns the algorithm with the workload's weights and constants."""
    known = work.constants
    steps, chains, *shape = work.arrays["noise"].shape
    net = generative_convnet_texture.energy(tuple(shape), width=known["width"])
    algorithm = GenerativeConvNet(
        tfgen_nets.load("energy", net, work.nets["energy"]),
        image_shape=tuple(shape),
        image_mean=[known["image_mean"]] * shape[-1],
        chains=chains,
        langevin_steps=steps,
        **{name: known[name] for name in CONSTANTS},
    )
    algorithm.compile({"energy": keras.optimizers.SGD(known["rate"])})
    return algorithm
