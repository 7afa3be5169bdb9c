"""An iteration of the generative ConvNet's learning by tfgen: Langevin steps, then an update.

python -m benchmarks.peers.contenders tfgen_growth
    --steps=N --chains=N --side=N --width=X --replicas=N
"""

import argparse
from collections.abc import Sequence

import keras
import tensorflow as tf

from benchmarks.peers import contender
from tfgen import random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.nets.families import generative_convnet_texture
from tfgen.version import __version__


def replicated(count: int) -> tf.distribute.Strategy:
    """Returns a strategy of some replicas, on logical devices of one processor."""
    if count == 1:
        return tf.distribute.get_strategy()
    processor = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * count
    tf.config.set_logical_device_configuration(processor, logical)
    return tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(count)])


def learner(side: int, width: float, *, chains: int, steps: int) -> GenerativeConvNet:
    """Returns the algorithm on the texture net.

    Args:
        side: of the images.
        width: factor on the numbers of filters.
        chains: of all replicas together.
        steps: of Langevin dynamics between two updates.
    """
    shape = (side, side, 3)
    made = GenerativeConvNet(
        generative_convnet_texture.energy(shape, width=width),
        image_shape=shape,
        image_mean=(0.0,) * 3,
        chains=chains,
        langevin_steps=steps,
    )
    # updates leave the weights about as they are, so that iterations cost the same
    made.compile({"energy": keras.optimizers.SGD(1e-9)})
    return made


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given the sizes.

    As many images are observed as there are chains; --chains counts each replica's own.
    """
    parser = argparse.ArgumentParser()
    for name in ("steps", "chains", "side", "replicas"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--width", type=float, required=True)
    given = parser.parse_args(words)
    strategy = replicated(given.replicas)
    chains = given.chains * given.replicas
    with strategy.scope():
        algorithm = learner(given.side, given.width, chains=chains, steps=given.steps)
    images = random.normal((chains, given.side, given.side, 3), random.root(0)) / 2
    observed = tf.data.Dataset.from_tensors({"image": images, "index": tf.range(chains)}).repeat()
    batches = iter(strategy.experimental_distribute_dataset(observed))

    @tf.function(autograph=False)
    def iterate(batch):
        return strategy.run(algorithm.train_step, (batch,))

    def run():
        iterate(next(batches))
        return algorithm.step.numpy()  # waits for the update

    return contender.Entry(__version__, None, run)
