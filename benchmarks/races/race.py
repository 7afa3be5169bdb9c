"""The base of every race: a training by tfgen and by PyTorch, and how samples are judged."""

import abc
import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from absl import flags as absl_flags

from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from experiments.runs import FLAGFILES
from tfgen import random
from tfgen.types import Seed
from trainers.run import catalogue, optimizers
from trainers.run.experiment import Experiment

Ruler = Callable[[np.ndarray], float]
"""Returns how far samples [n, h, w, c] in [-1, 1] are from what was learned; lower is better."""


@dataclasses.dataclass(frozen=True)
class Race(abc.ABC):
    """One training; subclasses are frozen dataclasses.

    Args:
        goal: the value to reach, by the mean over the last milestones.
        milestones: updates after which samples are drawn; the first shows what starting costs.
        window: how many milestones the mean is over.
        count: new samples at a milestone.
        changes: flags beside the flagfile's, of all contenders.

    Attributes:
        title: its heading on the page.
        flagfile: the recipe of tfgen, and of PyTorch with the same constants.
        paper: flags with the constants of the paper, or of its released code.
        peer: the module of `benchmarks.peers.contenders` that trains in PyTorch.
        measure: what the ruler gives, in words.
        source: the endpoint that samples come from: what training has at hand, or new ones.
        compared: logged numbers of the first update that must be the same for both.
    """

    goal: float
    milestones: Sequence[int]
    window: int = 1
    count: int = 0
    changes: Sequence[str] = ()

    title: ClassVar[str]
    flagfile: ClassVar[str]
    paper: ClassVar[Sequence[str]]
    peer: ClassVar[str]
    measure: ClassVar[str]
    source: ClassVar[str]
    compared: ClassVar[Sequence[str]]

    def flags(self, seed: int, further: Sequence[str] = ()) -> list[str]:
        """Returns the flags of `trainers.main`, without the work directory.

        Args:
            seed: of the run.
            further: of one contender.
        """
        flagfile = f"--flagfile={FLAGFILES / self.flagfile}.flags"
        return [flagfile, f"--seed={seed}", *self.changes, *further]

    def work(self, given: Sequence[str], experiment: Experiment) -> Workload:
        """Returns what a contender is given.

        Args:
            given: its flags.
            experiment: what they describe.

        Returns:
            The nets as they start, constants, images, and what the first update draws.
        """
        values = experiment.values
        root = random.root(values.seed)
        train = experiment.images.train
        batches = train.batches(values.batch_size, random.fold_in(root, -1))
        arrays = {"images": train.as_float()} | once({"batch": next(iter(batches))["image"]})
        # the seed that the first update is given, on the first replica
        arrays |= self.draws(experiment, random.fold_in(random.fold_in(root, 0), 0))
        nets = {}
        for role, net in experiment.algorithm.nets.items():
            nets[self.net_name(role)] = tfgen_nets.layers_of(role, net)
        known = constants(values) | self.own_constants(experiment)
        known |= {
            "source": self.source,
            "count": self.count,
            "milestones": list(self.milestones),
            "flags": list(given),
        }
        return Workload(nets, known, arrays)

    def net_name(self, role: str) -> str:
        """Returns the name of a role's net in the workload."""
        return role

    @abc.abstractmethod
    def own_constants(self, experiment: Experiment) -> dict[str, Any]:
        """Returns the constants that the flags alone do not tell."""

    @abc.abstractmethod
    def draws(self, experiment: Experiment, seed: Seed) -> dict[str, np.ndarray]:
        """Returns what the first update draws, a row for each time that it is asked for.

        Args:
            experiment: before its first update.
            seed: of the first update.
        """

    @abc.abstractmethod
    def ruler(self, experiment: Experiment, runs: pathlib.Path) -> Ruler:
        """Returns what judges samples.

        Args:
            experiment: holds the images.
            runs: where the nets are kept that the judge needs.
        """


def constants(values: absl_flags.FlagValues) -> dict[str, Any]:
    """Returns the flags of a run that any library must know, by name.

    They are the algorithm's hyperparameters, and the options of each role's optimizer.
    """
    name = values.algorithm
    own = catalogue.hyperparameters(catalogue.algorithm_class(name))
    found = {parameter: values[f"{name}.{parameter}"].value for parameter in own}
    for flag in ("seed", "steps", "batch_size", "patch_size"):
        found[flag] = values[flag].value
    by_role = {}
    for role in catalogue.roles(name):
        by_role[role] = {option: values[f"{role}.{option}"].value for option in optimizers.NAMES}
    return found | {"optimizers": by_role}


def once(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns draws that are asked for one time each, as rows."""
    return {name: np.asarray(array)[np.newaxis] for name, array in arrays.items()}
