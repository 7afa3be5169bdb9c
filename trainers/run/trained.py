"""A run that was trained: its model, and what evaluation, drawing and export need to know of it."""

import dataclasses
import functools
import pathlib
from typing import Any

from absl import flags as absl_flags

from tfgen.data import examples
from tfgen.errors import UserError
from tfgen.models import Model, saved
from tfgen.nets.convolution import implementations
from trainers.run import best, checkpoints, dataset, identity, locks, records, seal, strategy
from trainers.run.metrics import Metrics


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
    values, data = identity.flags_of(workdir, moved_to), dataset.remembered(workdir)
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
        checkpoints.check_stamp(path, records.check(path), identity.stamp_of(values, data))
    return step


def held_out_of(workdir: pathlib.Path, moved_to: str | None = None) -> examples.Examples:
    """Returns the held-out images of a run's data, which must be those that it was made with.

    Args:
        workdir: of a run.
        moved_to: the data set as `--dataset` names it today; None: as the run's flags have it.
    """
    values = identity.flags_of(workdir, moved_to)
    return dataset.images_of_run(values, dataset.remembered(workdir), workdir).test
