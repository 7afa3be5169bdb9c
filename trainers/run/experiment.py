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
from tfgen.models import Model, saved
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
    history,
    locks,
    optimizers,
    records,
    seal,
    stated,
    stopping,
    strategy,
)
from trainers.run.metrics import Metrics
from trainers.run.records import Stamp
from trainers.run.workers import Workers

DATA = (
    "dataset",
    "crop",
    "image_size",
    "channels",
    "patch_size",
    "clip_length",
    "clip_stride",
    "missing",
    "max_images",
    "test_fraction",
    "validation",
    *stated.NAMES,
)
STRUCTURE = ("algorithm", "nets", *DATA, "seed")
"""Flags that a run cannot change midway; nor can it change its nets."""

FACTS = ("image_shape", "train_size", "num_incomplete")
"""What data.json says of the data that is exactly the same on every machine."""


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
    def state(self) -> checkpoints.State:
        """All variables that a checkpoint keeps of the training."""
        return checkpoints.state_of(self.algorithm)

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
        growable = checkpoints.names_of(self.state, self.algorithm.growable)
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
        return stamp_of(self.values, self.data)

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


@dataclasses.dataclass(frozen=True)
class Trained:
    """A run as evaluation, drawing and export see it: a model and what is known of it.

    Attributes:
        workdir: the run's.
        values: the flags that it was made with.
        model: as a checkpoint left it, with averaged weights where the run keeps them.
        data: what the nets know of the data.
        metrics: the rows of the work directory.
    """

    workdir: pathlib.Path
    values: absl_flags.FlagValues
    model: Model
    data: dict[str, Any]
    metrics: Metrics

    @property
    def step(self) -> int:
        """Updates behind the model."""
        return self.model.updates

    @property
    def jit_compile(self) -> bool:
        """Tells whether XLA compiles what measures the model."""
        return strategy.jit_compile(self.values.jit_compile)

    @functools.cached_property
    def images(self) -> examples.Images:
        """The data set that the model was trained on; another is refused."""
        return dataset.images_of_run(self.values, self.data, self.workdir)


def restored(
    workdir: str | pathlib.Path,
    step: int | str | None = None,
    convolution: str | None = None,
    *,
    moved_to: str | None = None,
) -> Trained:
    """Returns a run with its model.

    A damaged newest checkpoint is set aside, and the one before is used.

    Args:
        workdir: of a run.
        step: updates behind the checkpoint, or `best`; None: the newest.
        convolution: how convolutions run; None: as the run's flags have it.
        moved_to: the data set as `--dataset` names it today; None: as the run's flags have it.

    Raises:
        UserError: if it is not one, or has no such checkpoint.
    """
    workdir = pathlib.Path(workdir)
    values, data = read(workdir, moved_to), dataset.remembered(workdir)
    try:
        chosen = _whole(workdir, values, data, step)
        with implementations.defaulting_to(convolution or values.convolution):
            model = saved.load(workdir, chosen)
    except UserError as error:
        reason = str(error).removeprefix("workdir: ")
        raise UserError(f"--workdir: {reason}") from error
    metrics = Metrics(workdir / "metrics.jsonl")
    return Trained(workdir, values, model, data, metrics)


def _whole(
    workdir: pathlib.Path, values: absl_flags.FlagValues, data: dict, step: int | str | None
) -> int | None:
    """Returns the step of a checkpoint that is whole and of this run; None: the newest.

    Raises:
        UserError: if there is none.
    """
    directory = workdir / "checkpoints"
    steps = checkpoints.steps(directory)
    if isinstance(step, str):
        step = best.workdir_step(workdir, values.keep_best, steps)
    if not seal.is_expected(workdir) or not steps:  # of an earlier version, without records
        return step
    if step is None:
        with locks.tried(workdir) as free:  # what trains may be about to remove some
            step = checkpoints.newest_whole(directory, set_aside=free)
    if step in steps:
        path = saved.checkpoint(directory, step)
        checkpoints.check_stamp(path, records.check(path), stamp_of(values, data))
    return step


def stamp_of(values: absl_flags.FlagValues, data: dict[str, Any]) -> Stamp:
    """Returns what checkpoints of a run say of its flags and data.

    Args:
        values: the run's flags.
        data: what its nets know of the data.
    """
    # data sets may move, and are told by what is in them
    names = [name for name in STRUCTURE if name != "dataset"]
    names += [
        f"{role}.{name}"
        for role in catalogue.roles(values.algorithm)
        for name in flags.net_options(values, role)
    ]
    # without defaults, so that a flag that is new in a later version changes nothing
    known = {n: values[n].value for n in names if values[n].value != values[n].default}
    facts = {name: data.get(name) for name in FACTS}
    return Stamp(flags=records.hash_of(known), data=records.hash_of(facts))


def held_out_of(workdir: pathlib.Path, moved_to: str | None = None) -> examples.Examples:
    """Returns the held-out images of a run's data, which must be those that it was made with.

    Args:
        workdir: of a run.
        moved_to: the data set as `--dataset` names it today; None: as the run's flags have it.
    """
    values = read(workdir, moved_to)
    return dataset.images_of_run(values, dataset.remembered(workdir), workdir).test


def refuse_others(values: absl_flags.FlagValues) -> history.Changes:
    """Returns the flags in which a run that goes on differs from before.

    Args:
        values: the flags, set.

    Raises:
        UserError: if the work directory is another run's, or holds other files.
    """
    workdir = pathlib.Path(values.workdir)
    if not (workdir / saved.RUN).exists() and not (workdir / "flags.cfg").exists():
        # what a kill while claiming it may have left behind does not count
        found = [path.name for path in workdir.glob("*") if not path.name.startswith(".")]
        if workdir.is_file() or set(found) - {"data.json"}:
            raise UserError(
                "--workdir: expected a run's directory or an empty one and found other files in "
                f"{workdir}"
            )
        return {}
    if not (workdir / saved.RUN).exists() and not (workdir / "checkpoints").exists():
        return {}  # killed while it was claimed
    before = read(workdir)
    options = [
        f"{role}.{option}"
        for role in catalogue.roles(before.algorithm)
        for option in flags.net_options(before, role)
    ]
    movable = dataset.has_place(before.dataset) and dataset.has_place(values.dataset)
    for name in [*STRUCTURE, *options]:
        if name == "dataset" and movable:
            continue  # their fingerprints are compared
        if before[name].value != values[name].value:
            raise UserError(
                f"--{name}: {workdir} was made with {before[name].value} and cannot go on with "
                f"{values[name].value}; choose another --workdir"
            )
    return history.changes(before, values)


def read(workdir: pathlib.Path, moved_to: str | None = None) -> absl_flags.FlagValues:
    """Returns the flags that a work directory was made with, and `workdir` as it is now.

    Args:
        workdir: of a run.
        moved_to: the data set as `--dataset` names it today; None: as it was.

    Raises:
        UserError: if it is not one, or one of another format.
    """
    config = workdir / saved.FLAGS
    try:
        saved.check_run(workdir)
    except UserError as error:
        raise UserError(f"--workdir: {error}") from error
    if not config.exists():
        raise UserError(
            f"--workdir: expected a run's directory and found no flags.cfg in {workdir}"
        )
    seal.check(workdir)
    values = absl_flags.FlagValues()
    flags.define(values)
    try:
        argv = ["", f"--flagfile={config}", f"--workdir={workdir}"]
        flags.define_own_nets(values, argv)
        flags.parse(argv, values)
        flags.require(values, "algorithm", "nets", "dataset")
    except UserError as error:
        raise UserError(
            f"--workdir: expected {config} to be a run's flags and could not read it: {error}"
        ) from error
    if moved_to is not None:
        values["dataset"].value = dataset.absolute(moved_to)
    return values
