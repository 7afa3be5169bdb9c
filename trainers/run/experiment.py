"""An experiment: the data, nets and algorithm that a set of flags describes, and its directory."""

import dataclasses
import functools
import inspect
import json
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import files
from tfgen.data import examples
from tfgen.data.shares import Share
from tfgen.errors import UserError
from tfgen.models import saved
from tfgen.nets.convolution import implementations
from tfgen.training.algorithm import Algorithm
from tfgen.training.schedules import Schedule
from tfgen.types import Seed
from trainers.run import (
    best,
    catalogue,
    checkpoints,
    dataset,
    flags,
    identity,
    optimizers,
    seal,
    stopping,
    strategy,
)
from trainers.run.metrics import Metrics
from trainers.run.records import Stamp
from trainers.run.state import State, names_of, state_of
from trainers.run.workers import Workers


class Experiment:
    """A training that a set of flags describes.

    Args:
        values: the flags, set; `algorithm`, `nets` and `dataset` at least.
        workers: who trains; None: whom the flags and the environment name.

    Attributes:
        workers: the processes that share each update.
        strategy: that distributes it.
        data: what the nets must know of the data; a work directory remembers it.
        algorithm: compiled, with nets built and seeded.
        schedules: of the learning rates, which a guard lowers.
        metrics: the rows of its work directory.
    """

    def __init__(self, values: absl_flags.FlagValues, workers: Workers | None = None):
        self.values = values
        # before anything is computed, as the strategy of several workers demands
        self.workers = workers or Workers(strategy.build(values.strategy, values.tpu))
        self.strategy = self.workers.strategy
        strategy.check_batch(self.strategy, values.batch_size, values.accumulate)
        self.workdir = pathlib.Path(values.workdir)
        self.metrics = Metrics(self.workdir / "metrics.jsonl")
        self.checkpoints = self.workdir / "checkpoints"
        # a wrong name is said before data are read
        cls = catalogue.algorithm_class(values.algorithm)
        if values.missing and "num_incomplete" not in inspect.signature(cls).parameters:
            raise UserError(
                f"--missing: expected none, since {values.algorithm} learns from whole images alone"
            )
        self.data = self._data()
        policy = "mixed_bfloat16" if values.compute_dtype == "bfloat16" else "float32"
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(values.seed)
        self.schedules: list[Schedule] = []
        with self.strategy.scope(), implementations.defaulting_to(values.convolution):
            self.algorithm = self._algorithm(cls)

    @functools.cached_property
    def images(self) -> examples.Images:
        """The data set of the flags."""
        return dataset.images(self.values)

    def batches(self, seed: Seed, start: int) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        """Returns the stream of batches that training takes.

        Args:
            seed: int32 [2], of the order of examples.
            start: the step to start from.
        """
        train, size = self.images.train, self.values.batch_size
        if not self.workers.several:
            return train.batches(size, seed, start=start)

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            replicas = context.num_replicas_in_sync
            own = replicas // context.num_input_pipelines
            share = Share(replicas, own * context.input_pipeline_id, own)
            return train.batches(size, seed, start=start, share=share)

        # each worker reads its part of a batch alone
        return self.strategy.distribute_datasets_from_function(of_worker)

    def _data(self) -> dict[str, Any]:
        """Returns what is remembered of the data, or measured; today's must be the same."""
        measured = dataset.measured(self.values, self.images)
        if not (self.workdir / saved.RUN).exists():
            return measured
        dataset.check_same(dataset.remembered(self.workdir), measured, self.workdir)
        return measured

    def _algorithm(self, cls: Callable[..., Algorithm]) -> Algorithm:
        """Returns the algorithm with its nets and optimizers."""
        values, name = self.values, self.values.algorithm
        roles = catalogue.roles(name)
        hyperparameters = {
            parameter: values[f"{name}.{parameter}"].value
            for parameter in catalogue.hyperparameters(cls)
        }
        known = inspect.signature(cls).parameters
        facts = {fact: value for fact, value in self.data.items() if fact in known}
        nets = [self._net(role) for role in roles]
        algorithm = cls(*nets, **facts, seed=values.seed, **hyperparameters)
        updates = {role: optimizers.build(values, role) for role in roles}
        self.schedules = [update.schedule for update in updates.values()]
        algorithm.compile(
            {role: update.optimizer for role, update in updates.items()},
            clip_norms={r: u.clip_norm for r, u in updates.items() if u.clip_norm},
            transforms={r: u.transform for r, u in updates.items() if u.transform},
            jit_compile=strategy.jit_compile(values.jit_compile),
            accumulate=values.accumulate,
        )
        return algorithm

    def check_labels(self) -> None:
        """Raises UserError unless the data have the classes that the model wants."""
        classes = self.algorithm.model.num_classes
        label = self.images.train.label
        if classes == 1:
            return
        if label is None:
            raise UserError(
                f"--dataset: expected labels for the net's {classes} outputs and found none"
            )
        if label.max() >= classes:
            raise UserError(
                f"--dataset: expected at most {classes} classes, the net's outputs, and found "
                f"{label.max() + 1}"
            )

    def _net(self, role: str) -> keras.Model:
        """Returns the net of a role with the options that flags give."""
        values = self.values
        function = catalogue.net_function(values.nets, role)
        given = flags.net_options(values, role)
        options = {name: option for name, option in given.items() if option is not None}
        for name in options.keys() - catalogue.hyperparameters(function).keys():
            raise UserError(f"--{role}.{name}: the net {values.nets} has no such option")
        return function(tuple(self.data["image_shape"]), **options)

    @functools.cached_property
    def state(self) -> State:
        """All variables that a checkpoint keeps of the training."""
        return state_of(self.algorithm)

    @property
    def finished(self) -> bool:
        """Tells whether the run has come to its end before the last update of its flags.

        Of several workers, the chief's counts, which has written the rows.
        """
        if self.values.stop_at_gap is None:
            return self.algorithm.finished
        intervals = self.values.stop_at_gap // self.values.log_every
        rows = self.metrics.newest("train", intervals)
        return self.algorithm.finished or stopping.is_reached(
            rows, intervals, self.algorithm.last_growth
        )

    def save(self, keep: int, passing: bool = False) -> None:
        """Writes a checkpoint; leaves the newest `keep`, the newest good one and the best.

        Args:
            keep: how many checkpoints to leave.
            passing: whether it is replaced by the next one.
        """
        step, rollbacks = self.algorithm.num_updates, self.algorithm.retries
        # rows are on the disk before the checkpoint that they belong to
        self.metrics.flush()
        checkpoints.save(
            self.checkpoints,
            step,
            self.state,
            keep,
            save_model=self.algorithm.save_model,
            stamp=dataclasses.replace(self.stamp, rollbacks=rollbacks, passing=passing),
            pinned=self._pinned(step),
        )

    def restore(self, step: int | None = None) -> int:
        """Sets the training to a checkpoint, and returns the updates that had been made.

        Of several workers, the chief says which one is the newest.

        Args:
            step: which; None: the newest that is whole, which must be of the flags and data.

        Raises:
            UserError: if there is none, or it does not fit.
        """
        growable = names_of(self.state, self.algorithm.growable)
        stamp = self.stamp if step is None else None
        if step is None:
            step = self.workers.led(lambda: checkpoints.newest_whole(self.checkpoints))
        step = checkpoints.restore(self.checkpoints, self.state, step, stamp, growable)
        try:
            self.algorithm.check_restored()
        except UserError as error:
            raise UserError(
                f"--{self.values.algorithm}.{error}; choose another --workdir than {self.workdir} "
                "to train anew"
            ) from error
        return step

    def _pinned(self, step: int) -> set[int]:
        """Returns the steps whose checkpoints stay when one is written."""
        steps, chosen = checkpoints.steps(self.checkpoints), self.values.keep_best
        best_step = chosen and best.step_of(self.metrics, chosen, [*steps, step])
        return {s for s in (self.good_step, best_step) if s is not None}

    @property
    def good_step(self) -> int | None:
        """The newest checkpoint that is known to be good: the interval after it went well."""
        logged = self.metrics.newest("train", 1)
        for step in reversed(checkpoints.steps(self.checkpoints)):
            place = saved.checkpoint(self.checkpoints, step)
            if logged and step < logged[0]["step"] and not checkpoints.is_passing(place):
                return step
        return None

    @property
    def stamp(self) -> Stamp:
        """Returns what a checkpoint of this run says of its flags and data."""
        return identity.stamp_of(self.values, self.data)

    def claim(self) -> None:
        """Writes what the run is, so that it can be gone on with."""
        contents = {
            "data.json": json.dumps(self.data),
            saved.FLAGS: seal.sealed(flags.written(self.values)),
            # last, since it makes the directory a run's
            saved.RUN: seal.run_record(),
        }
        for name, content in contents.items():
            with files.written_aside(self.workdir / name) as aside:
                aside.write_text(content, encoding="utf-8")
