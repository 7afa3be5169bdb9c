"""An experiment: the data, nets and algorithm that a set of flags describes, and its work directory."""

import functools
import inspect
import json
import math
import pathlib

import keras
import tensorflow as tf
from absl import flags as absl_flags

from tfgen import files
from tfgen.data import examples
from tfgen.errors import UserError
from tfgen.nets.convolution import implementations
from tfgen.training.algorithm import Algorithm
from trainers.run import catalogue, checkpoints, flags, optimizers, strategy
from trainers.run.metrics import Metrics

DATA = ("dataset", "image_size", "channels", "patch_size", "missing", "max_images", "validation")
STRUCTURE = ("algorithm", "nets", *DATA, "seed")
"""Flags that a run cannot change midway; nor can it change its nets."""


class Experiment:
    """What a set of flags describes.

    Args:
        values: the flags, set; `algorithm`, `nets` and `dataset` at least.

    Attributes:
        data: what the nets must know of the data; a work directory remembers it, so that a trained model
            is sampled and exported without its data.
        algorithm: compiled, with nets built and seeded.
        metrics: the rows of its work directory.
    """

    def __init__(self, values: absl_flags.FlagValues):
        self.values = values
        self.workdir = pathlib.Path(values.workdir)
        self.metrics = Metrics(self.workdir / "metrics.jsonl")
        self.checkpoints = self.workdir / "checkpoints"
        algorithm = catalogue.algorithm_class(
            values.algorithm
        )  # a wrong name is said before data is read
        if values.missing and "num_incomplete" not in inspect.signature(algorithm).parameters:
            raise UserError(
                f"--missing: expected none, since {values.algorithm} learns from whole images alone"
            )
        self.data = self._data()
        keras.config.set_dtype_policy(
            "mixed_bfloat16" if values.compute_dtype == "bfloat16" else "float32"
        )
        keras.utils.set_random_seed(values.seed)
        self.strategy = strategy.build(values.strategy)
        with self.strategy.scope(), implementations.defaulting_to(values.convolution):
            self.algorithm = self._algorithm()

    @functools.cached_property
    def images(self) -> examples.Images:
        """The data set of the flags."""
        return load_images(self.values)

    def _data(self) -> dict:
        remembered = self.workdir / "data.json"
        if (self.workdir / "flags.cfg").exists() and remembered.exists():
            try:
                return json.loads(remembered.read_text())
            except json.JSONDecodeError as error:
                raise UserError(
                    f"--workdir: expected {remembered} to be whole and could not read it"
                ) from error
        mean = self.images.train.whole().mean(axis=(0, 1, 2))
        return {
            "image_shape": list(self.images.shape),
            "image_mean": [float(m) for m in mean],
            "train_size": self.images.size,
            "num_incomplete": self.images.size if self.values.missing else 0,
        }

    def _algorithm(self) -> Algorithm:
        v, name = self.values, self.values.algorithm
        cls = catalogue.algorithm_class(name)
        given = {p: v[f"{name}.{p}"].value for p in catalogue.hyperparameters(cls)}
        nets = [self._net(role) for role in catalogue.roles(name)]
        known = {
            n: value for n, value in self.data.items() if n in inspect.signature(cls).parameters
        }
        algorithm = cls(*nets, **known, seed=v.seed, **given)
        built = {role: optimizers.build(v, role) for role in catalogue.roles(name)}
        self.schedules = [updates.schedule for updates in built.values()]
        algorithm.compile(
            {role: updates.optimizer for role, updates in built.items()},
            strategy.jit_compile(v.jit_compile),
            {role: updates.transform for role, updates in built.items()},
        )
        return algorithm

    def check_labels(self) -> None:
        """Raises UserError unless the data have the classes that the algorithm wants."""
        classes = getattr(self.algorithm, "num_classes", 1)
        label = self.images.train.label
        if classes > 1 and label is None:
            raise UserError(
                f"--dataset: expected labels for the net's {classes} outputs and found none"
            )
        if classes > 1 and label.max() >= classes:
            raise UserError(
                f"--dataset: expected at most {classes} classes, the net's outputs, and found {label.max() + 1}"
            )

    def _net(self, role: str) -> keras.Model:
        function = catalogue.net_function(self.values.nets, role)
        options = {n: o for n, o in flags.net_options(self.values, role).items() if o is not None}
        for name in options.keys() - catalogue.hyperparameters(function).keys():
            raise UserError(f"--{role}.{name}: the net {self.values.nets} has no such option")
        return function(tuple(self.data["image_shape"]), **options)

    @property
    def state(self) -> checkpoints.State:
        """All variables that a checkpoint keeps."""
        optimizer = self.algorithm.optimizers
        return {
            "weights": self.algorithm.weights,
            "optimizers": [v for role in optimizer.values() for v in role.variables],
        }

    @property
    def size(self) -> int:
        """Bytes of a checkpoint, which is what training keeps in memory from one update to the next."""
        variables = [v for group in self.state.values() for v in group]
        return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables)

    def use_averages(self) -> None:
        """Replaces weights by their moving averages where an optimizer keeps them."""
        for role, optimizer in self.algorithm.optimizers.items():
            optimizer.finalize_variable_values(self.algorithm.parameters(role))

    def claim(self) -> None:
        """Writes what the run is, so that it can be gone on with."""
        with files.written_aside(self.workdir / "data.json") as aside:
            aside.write_text(json.dumps(self.data))
        with files.written_aside(self.workdir / "flags.cfg") as aside:
            aside.write_text(flags.written(self.values))


def refuse_others(values: absl_flags.FlagValues) -> None:
    """Raises UserError if the work directory is another run's, or holds other files."""
    workdir = pathlib.Path(values.workdir)
    if not (workdir / "flags.cfg").exists():
        # what a kill while claiming it may have left behind does not count
        others = [
            f for f in workdir.glob("*") if not f.name.startswith(".") and f.name != "data.json"
        ]
        if workdir.is_file() or others:
            raise UserError(
                f"--workdir: expected a run's directory or an empty one and found other files in {workdir}"
            )
        return
    before = read(workdir)
    nets = [
        f"{role}.{o}"
        for role in catalogue.roles(before.algorithm)
        for o in flags.net_options(before, role)
    ]
    for name in [*STRUCTURE, *nets]:
        if before[name].value != values[name].value:
            raise UserError(
                f"--{name}: {workdir} was made with {before[name].value} and cannot go on with "
                f"{values[name].value}; choose another --workdir"
            )


def load_images(v: absl_flags.FlagValues) -> examples.Images:
    """The data set that flags describe.

    Args:
        v: the flags, set.

    Raises:
        UserError: if there is none such, or it is not of images.
    """
    loaded = examples.load(
        v.dataset,
        image_size=sides("image_size", v.image_size),
        channels=v.channels,
        patch_size=v.patch_size,
        missing=v.missing,
        max_images=v.max_images,
        test_fraction=v.test_fraction,
        validation=v.validation,
        data_dir=v.data_dir,
        manual_dir=v.manual_dir,
    )
    if len(loaded.shape) != 3:
        raise UserError(f"--dataset: expected images and found videos of shape {loaded.shape}")
    return loaded


def read(workdir: pathlib.Path) -> absl_flags.FlagValues:
    """The flags that a work directory was made with.

    Args:
        workdir: of a run.

    Returns:
        The flags, with `workdir` as it is now.

    Raises:
        UserError: if it is not one.
    """
    config = workdir / "flags.cfg"
    if not config.exists():
        raise UserError(
            f"--workdir: expected a run's directory and found no flags.cfg in {workdir}"
        )
    values = absl_flags.FlagValues()
    flags.define(values)
    try:
        flags.parse(["", f"--flagfile={config}", f"--workdir={workdir}"], values)
        flags.require(values, "algorithm", "nets", "dataset")
    except UserError as error:
        raise UserError(
            f"--workdir: expected {config} to be a run's flags and could not read it: {error}"
        ) from error
    return values


def restored(workdir: pathlib.Path, convolution: str | None = None) -> Experiment:
    """A run's experiment as its newest checkpoint left it, with averaged weights where it keeps them.

    Args:
        workdir: of a run.
        convolution: how convolutions run; None: as the run's flags have it.

    Raises:
        UserError: if it is not one, or has no checkpoint yet.
    """
    values = read(workdir)
    values.convolution = convolution or values.convolution
    if not checkpoints.steps(workdir / "checkpoints"):
        raise UserError(
            f"--workdir: expected a checkpoint in {workdir} and found none; train first"
        )
    experiment = Experiment(values)
    checkpoints.restore(experiment.checkpoints, experiment.state)
    for callback in experiment.algorithm.callbacks():
        callback.on_train_begin()  # what follows from the step, such as how far a net has grown
    experiment.use_averages()
    return experiment


def sides(flag: str, words: list[str] | None) -> tuple[int, int] | None:
    """Height and width from a flag of one or two numbers, or None where it was not given."""
    if not words:
        return None
    try:
        sides = [int(word) for word in words]
    except ValueError:
        sides = []
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise UserError(
            f"--{flag}: expected one or two positive numbers and found {','.join(words)}"
        )
    return (sides[0], sides[-1])
