"""Training by tfgen as `trainers.main` does it, but without checkpoints and pictures.

python -m benchmarks.peers.contenders tfgen_training WORKLOAD.npz
"""

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags

from benchmarks.peers import contender, workload
from tfgen import random
from tfgen.version import __version__
from trainers.run import callbacks, flags
from trainers.run.board import Board
from trainers.run.experiment import Experiment
from trainers.run.guard import Guard


class Training:
    """An experiment, and the endpoint that its samples come from.

    Args:
        known: `flags` of the run; `source`, the endpoint's name; `count` of new samples.
    """

    def __init__(self, known: Mapping[str, Any]):
        self.known = known
        # holds the log, from which the guard knows the usual sizes
        workdir = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, workdir)
        self.experiment = Experiment(values_of(known["flags"], workdir))
        self.board = Board(self.experiment.workdir)

    def train(self, updates: int) -> None:
        """Trains up to so many updates in all, or to the algorithm's own end."""
        values, algorithm = self.experiment.values, self.experiment.algorithm
        step = algorithm.num_updates
        left = updates - step
        if left <= 0 or algorithm.finished:
            return
        # a milestone within a logging interval is an interval of its own
        every = left if left % values.log_every else values.log_every
        seed = random.fold_in(random.root(values.seed), -1)
        watching = Guard(self.experiment, values.guard_factor)
        algorithm.fit(
            self.experiment.images.train.batches(values.batch_size, seed, start=step),
            steps_per_epoch=every,
            epochs=left // every,
            shuffle=False,
            verbose=0,
            callbacks=[watching, callbacks.Log(self.experiment, self.board, watching)],
        )

    def samples(self) -> np.ndarray:
        """Returns images as evaluation would ask for them, [b, h, w, c], by averaged weights."""
        algorithm, count = self.experiment.algorithm, tf.constant(self.known["count"])
        # traced anew: the graph depends on how far a net has grown, or a cascade
        generate = algorithm.model.endpoint(self.known["source"]).traced()
        with algorithm.averaged_weights():
            return generate(count=count, seed=random.root(0))["image"].numpy()


def values_of(given: Sequence[str], workdir: str) -> absl_flags.FlagValues:
    """Returns the flags of a run in a directory."""
    values = absl_flags.FlagValues()
    flags.define(values)
    return flags.parse(["", *given, f"--workdir={workdir}"], values)


def entry(words: Sequence[str]) -> contender.Entry:
    """Returns the entry, given a workload's file."""
    known = workload.read(words[0]).constants
    training, milestones = Training(known), iter(known["milestones"])

    def answer():
        logs = training.experiment.algorithm.get_metrics_result()
        found = {f"log/{name}": float(value) for name, value in logs.items()}
        return found | {"image": training.samples()}

    return contender.Entry(__version__, answer, lambda: training.train(next(milestones)))
