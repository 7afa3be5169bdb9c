"""Training by tfgen as `trainers.main` does it, but for checkpoints and pictures.

python -m benchmarks.peers.contenders tfgen_training WORKLOAD.npz
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.peers import contender, workload
from tfgen import random
from tfgen.version import __version__
from trainers.run import callbacks, flags
from trainers.run.experiment import Experiment


class Training:
    """An experiment, and the endpoint that samples come from.

    Args:
        known: flags; source, the endpoint's name; count, of new samples.
    """

    def __init__(self, known):
        self.known = known
        self._workdir = (
            tempfile.TemporaryDirectory()
        )  # for the log, by which the guard knows what is usual
        self.experiment = Experiment(values_of(known["flags"], self._workdir.name))
        self._generate = self.experiment.algorithm.endpoints()[known["source"]].traced()

    def train(self, updates: int) -> None:
        """Up to so many updates in all, or to the end."""
        v, algorithm = self.experiment.values, self.experiment.algorithm
        step = algorithm.num_updates
        left = updates - step
        if left <= 0 or algorithm.stop_training:
            return
        every = left if left % v.log_every else v.log_every
        seed = random.fold_in(random.root(v.seed), -1)
        algorithm.fit(
            self.experiment.images.train.batches(v.batch_size, seed, start=step),
            steps_per_epoch=every,
            epochs=left // every,
            shuffle=False,
            verbose=0,
            callbacks=[
                *algorithm.callbacks(),
                callbacks.Guard(self.experiment, v.guard_factor),
                callbacks.Log(self.experiment),
            ],
        )

    def samples(self) -> np.ndarray:
        """Images as evaluation would ask for them, [b, h, w, c]."""
        algorithm, seed = self.experiment.algorithm, random.root(0)
        steps = tf.constant(getattr(algorithm, "sample_steps", 0))
        with averaged(self.experiment):
            return self._generate(
                count=tf.constant(self.known["count"]), seed=seed, num_steps=steps
            )["image"].numpy()


def values_of(given: Sequence[str], workdir: str) -> absl_flags.FlagValues:
    """The flags of a run in a directory."""
    values = absl_flags.FlagValues()
    flags.define(values)
    return flags.parse(["", *given, f"--workdir={workdir}"], values)


@contextlib.contextmanager
def averaged(experiment: Experiment) -> Iterator[None]:
    """Weights are their moving averages within the block, where optimizers keep them."""
    kept = [(weight, weight.numpy()) for weight in experiment.algorithm.trainable_variables]
    experiment.use_averages()
    yield
    for weight, value in kept:
        weight.assign(value)


def entry(words: Sequence[str]) -> contender.Entry:
    """Given a workload's file."""
    known = workload.read(words[0]).constants
    training, milestones = Training(known), iter(known["milestones"])

    def answer():
        logs = training.experiment.algorithm.get_metrics_result()
        return {f"log/{name}": float(value) for name, value in logs.items()} | {
            "image": training.samples()
        }

    return contender.Entry(__version__, answer, lambda: training.train(next(milestones)))
