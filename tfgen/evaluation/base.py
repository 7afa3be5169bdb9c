"""The bases of measurements: what they need of a model, and what their values mean."""

import abc
import dataclasses
import fnmatch
import functools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from tfgen import errors
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.models import Model, Target
from tfgen.version import __version__

HIGHER, LOWER, NEITHER = "higher", "lower", "neither"
"""Whether a better model has a higher or a lower value; `NEITHER`: the value is no quality."""


@dataclasses.dataclass(frozen=True)
class Evaluator(abc.ABC):
    """A measurement of a model: a frozen dataclass whose keyword-only fields are its protocol.

    Args:
        model: trained.
        images: the data that it was trained on.
        seed: of all that the measurement draws.
        jit: whether XLA compiles what is computed.

    Attributes:
        needs: the names of the model's tasks that the measurement asks for.
        better: `higher`, `lower` or `neither`, by the values' names. A name may be a pattern, such
            as `auroc_*`; the first that fits counts.
        counted: the splits of which at most `num_images` are measured; protocols state how many
            were.

    Raises:
        UserError: if the model lacks a task, or a field is out of its range.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    better: ClassVar[Mapping[str, str]]
    counted: ClassVar[tuple[str, ...]] = ()

    model: Model
    images: Images
    _: dataclasses.KW_ONLY
    seed: int = 0
    jit: bool = False

    def __post_init__(self):
        # before anything runs, since a measurement may take hours
        errors.check_parameters(type(self), vars(self))
        self.check()

    @classmethod
    def name(cls) -> str:
        """Returns the measurement's name, which is its file's."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def direction(cls, value: str) -> str:
        """Returns whether a better model has a `higher` or a `lower` value, or `neither`.

        Args:
            value: a name that `run` yields.

        Raises:
            KeyError: if the measurement declares nothing of such a value.
        """
        for pattern, direction in cls.better.items():
            if fnmatch.fnmatchcase(value, pattern):
                return direction
        raise KeyError(f"{cls.name()}/{value}")

    @abc.abstractmethod
    def run(self) -> Iterator[tuple[str, float]]:
        """Measures.

        Yields:
            Names and values.
        """

    def verdict(self, values: Mapping[str, float]) -> str:
        """Returns what the values mean, in a sentence; an empty text where nothing is to be said.

        Args:
            values: all that `run` yielded, by name.
        """
        del values
        return ""

    def check(self) -> None:
        """Raises UserError unless the model can be measured; called by the constructor."""
        able = self.model.capabilities()
        if not self.needs <= able:
            wanted = ", ".join(sorted(self.needs))
            noun = "task" if len(self.needs) == 1 else "tasks"
            found = ", ".join(sorted(able))
            raise UserError(
                f"{self.name()}: expected a model with the {noun} {wanted} and found one with "
                f"{found}"
            )

    def part(self, name: str) -> Examples:
        """Returns a split of the images.

        Args:
            name: train or test.

        Raises:
            UserError: if it is neither.
        """
        splits = {"train": self.images.train, "test": self.images.test}
        if name not in splits:
            raise UserError(f"split: expected train or test and found {name}")
        return splits[name]

    def examples(self, name: str, count: int | None = None) -> dict[str, np.ndarray]:
        """Returns the first examples of a split, by the names of a task's inputs.

        Args:
            name: train or test.
            count: examples, at most; None stands for all.

        Returns:
            `image`, [n, h, w, c] in [-1, 1], and `label`, [n], where there are labels.
        """
        found = self.part(name)
        given = {"image": found.shown(count)}
        if found.label is not None:
            given["label"] = found.label[: len(given["image"])]
        return given

    def labels_of(self, name: str) -> np.ndarray:
        """Returns the classes of a split's images, int [n].

        Args:
            name: train or test.

        Raises:
            UserError: if there are none.
        """
        label = self.part(name).label
        if label is None:
            raise UserError(f"{self.name()}: expected a data set with labels and found none")
        return label

    def steps_of(self, task: str, given: int | None = None) -> int:
        """Returns the number of sampling steps that a task is asked for.

        Args:
            task: of the model.
            given: None stands for the model's own number.

        Returns:
            0 where the task takes none.
        """
        for known in self.model.endpoint(task).inputs:
            if known.name == "num_steps":
                return known.default if given is None else given
        return 0

    def protocol(self) -> dict[str, Any]:
        """Returns what another run must share for its values to be comparable."""
        unstated = ("model", "images", "jit")  # a value does not depend on the compiler
        names = [field.name for field in dataclasses.fields(self) if field.name not in unstated]
        found = {name: vars(self)[name] for name in names} | self._counted()
        if self.images.description.tests_on_train:
            found["test"] = "is train"
        return found | {"version": __version__}

    def _counted(self) -> dict[str, int]:
        """Returns how many images were measured of those that were asked for."""
        if not self.counted:
            return {}
        asked = vars(self)["num_images"]
        there = {split: len(self.part(split)) for split in self.counted}
        if len(there) == 1:
            return {"num_images": min(asked, *there.values())}
        numbers = {f"num_{split}": min(asked, count) for split, count in there.items()}
        return {"num_images": max(numbers.values())} | numbers


@dataclasses.dataclass(frozen=True)
class DensityEvaluator(Evaluator, abc.ABC):
    """A measurement of a model's density, exp(-U / T): the model has one energy.

    Raises:
        UserError: if the model has no energy, one for each class, or a temperature of 0.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"energy"})

    def check(self) -> None:
        super().check()
        if self.model.num_classes > 1:
            raise UserError(
                f"{self.name()}: expected a model with one energy and found one with an energy for "
                f"each of {self.model.num_classes} classes"
            )

    @functools.cached_property
    def target(self) -> Target:
        """The density: U / T in nats, and a known distribution on the same space."""
        return self.model.target()

    def energies(self, image: np.ndarray) -> np.ndarray:
        """Computes U / T of images, float64 [n]."""
        energy = self.target.energy
        mapped = MinibatchMap(jit=self.jit).map("energies", lambda x: (energy(x),), image)
        return mapped[0].astype(np.float64)


@dataclasses.dataclass(frozen=True)
class ScoreEvaluator(DensityEvaluator, abc.ABC):
    """A measurement of the energy by which a model compares images: see `Model.score_target`.

    Raises:
        UserError: if the model has no energy, one for each class, or a temperature of 0.
    """

    @functools.cached_property
    def target(self) -> Target:
        """The density whose energy compares images, and a known distribution on the same space."""
        return self.model.score_target()
