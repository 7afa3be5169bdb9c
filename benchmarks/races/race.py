"""A training that tfgen and PyTorch both run, and how far their samples are from what they learn."""

import abc
import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from absl import flags as absl_flags

from benchmarks.peers.contenders import tfgen_nets
from benchmarks.peers.workload import Workload
from tfgen import random
from tfgen.types import Seed
from trainers.run import catalogue, flags
from trainers.run.experiment import Experiment

FLAGFILES = pathlib.Path("trainers/flagfiles")

Ruler = Callable[[np.ndarray], float]
"""How far samples [n, h, w, c] in [-1, 1] are from what was learned."""


@dataclasses.dataclass(frozen=True)
class Race(abc.ABC):
    """One training; subclasses are frozen dataclasses.

    Attributes:
        title: what it is called on the page.
        flagfile: what tfgen trains, and PyTorch with the same constants.
        paper: flags that give it the constants of the paper, or of its released code.
        peer: the module of `benchmarks.peers` that trains it in PyTorch.
        measure: what the ruler gives, in words.
        goal: the value to reach, by a mean over the last milestones.
        window: how many of these.
        milestones: updates after which samples are drawn; the first shows what starting costs.
        source: the endpoint that samples come from: what training has at hand, or new ones.
        count: of new samples.
        compared: what the first update logs, which must be the same for both.
    """

    goal: float
    milestones: Sequence[int]
    window: int = 1
    count: int = 0
    changes: Sequence[str] = ()
    """Flags beside the flagfile's, of both."""

    title: ClassVar[str]
    flagfile: ClassVar[str]
    paper: ClassVar[Sequence[str]]
    peer: ClassVar[str]
    measure: ClassVar[str]
    source: ClassVar[str]
    compared: ClassVar[Sequence[str]]

    def flags(self, seed: int, further: Sequence[str] = ()) -> list[str]:
        """What `trainers.main` would be given, but for the work directory."""
        return [
            f"--flagfile={FLAGFILES / self.flagfile}.flags",
            f"--seed={seed}",
            *self.changes,
            *further,
        ]

    def work(self, given: list[str], experiment: Experiment) -> Workload:
        """What a contender is given: the nets as they start, constants, images, and what the first update draws."""
        values, algorithm = experiment.values, experiment.algorithm
        seed = random.fold_in(random.fold_in(random.root(values.seed), 0), 0)
        train, order = experiment.images.train, random.fold_in(random.root(values.seed), -1)
        first = next(iter(train.batches(values.batch_size, order)))
        arrays = {"images": train.whole()} | once({"batch": first["image"]})
        roles = catalogue.roles(values.algorithm)
        nets = {
            self.net_name(role): tfgen_nets.layers_of(getattr(algorithm, role)) for role in roles
        }
        known = {name: getattr(self, name) for name in ("source", "count")} | {
            "milestones": list(self.milestones)
        }
        known |= constants(values) | self.own_constants(experiment) | {"flags": given}
        return Workload(nets, known, arrays | self.draws(experiment, seed))

    def net_name(self, role: str) -> str:
        """What a role's net is called in the file."""
        return role

    @abc.abstractmethod
    def own_constants(self, experiment: Experiment) -> dict[str, Any]:
        """What the flags alone do not say."""

    @abc.abstractmethod
    def draws(self, experiment: Experiment, seed: Seed) -> dict[str, np.ndarray]:
        """What the first update draws by its seed, a row for each time that it is asked for."""

    @abc.abstractmethod
    def ruler(self, experiment: Experiment, runs: pathlib.Path) -> Ruler:
        """What samples are measured by.

        Args:
            experiment: holds the images.
            runs: where nets are kept that it needs.
        """


def constants(values: absl_flags.FlagValues) -> dict[str, Any]:
    """The flags of a run that any library must know: hyperparameters and optimizers by name."""
    name = values.algorithm
    own = {
        p: values[f"{name}.{p}"].value
        for p in catalogue.hyperparameters(catalogue.algorithm_class(name))
    }
    optimizers = {
        r: {o: values[f"{r}.{o}"].value for o in flags.OPTIMIZER} for r in catalogue.roles(name)
    }
    run = {flag: values[flag].value for flag in ("seed", "steps", "batch_size", "patch_size")}
    return own | run | {"optimizers": optimizers}


def once(arrays: dict[str, Iterable]) -> dict[str, np.ndarray]:
    """Draws that are asked for one time each."""
    return {name: np.asarray(array)[np.newaxis] for name, array in arrays.items()}
