"""Trains what the flags describe. The same command, given again, resumes the run.

    python -m trainers.main --flagfile=RECIPE --workdir=DIR [--steps=N] [overrides]

A recipe is a flagfile, or the name of a packaged one (`tfgen recipes` lists them). Under DIR stand
flags.cfg (re-runnable), checkpoints/, tensorboard/, metrics.jsonl and samples/*.png.
"""

import contextlib
import pathlib
import sys

from absl import flags as absl_flags

from tfgen import random
from tfgen.errors import UserError
from tfgen.training.batches import ORDER
from trainers.run import callbacks, checkpoints, commands, dataset, flags, history
from trainers.run.callbacks import DivergedError
from trainers.run.experiment import Experiment, refuse_others
from trainers.run.flags import define


def main(values: absl_flags.FlagValues) -> None:
    """Trains, or goes on training.

    Args:
        values: the flags, set.

    Raises:
        UserError: if a flag, a file or the data are not as they should be, or the run diverged.
    """
    flags.require(values, "workdir", "algorithm", "nets", "dataset")
    # these callbacks run at the end of a logging interval, which is what Keras calls an epoch
    for name in ("save_every", "sample_every"):
        if values[name].value % values.log_every:
            raise UserError(f"--{name}: expected a multiple of --log_every={values.log_every}")
    _check_lines(values)
    values["dataset"].value = dataset.absolute(values.dataset)
    dataset.refuse_workdir_inside(values.dataset, pathlib.Path(values.workdir))
    changes = refuse_others(values)
    experiment = Experiment(values)
    experiment.check_labels()
    begin(experiment, changes)
    algorithm = experiment.algorithm
    # a run that is called again may have come to its end before
    while algorithm.num_updates < values.steps and not algorithm.finished:
        try:
            with experiment.strategy.scope():
                fit(experiment)
        except DivergedError as diverged:
            roll_back(experiment, diverged)


def _check_lines(values: absl_flags.FlagValues) -> None:
    """Refuses values that flags.cfg, which has a line for each, could not hold."""
    for name in flags.own(values):
        value = values[name].value
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and set(text) & set("\n\r\0") for text in texts):
            raise UserError(f"--{name}: expected a single line and found {value!r}")


def begin(experiment: Experiment, changes: history.Changes) -> None:
    """Sets the run to its newest checkpoint, or writes its first one.

    Args:
        experiment: whose work directory is claimed.
        changes: the flags in which this command differs from the one before, which are recorded.
    """
    values, step = experiment.values, 0
    resumed = bool(checkpoints.steps(experiment.checkpoints))
    if resumed:
        step = checkpoints.restore(experiment.checkpoints, experiment.state)
    if step > values.steps:
        print(
            f"{values.workdir}: nothing to do: {step} of {values.steps} updates are made",
            file=sys.stderr,
        )
        values["steps"].value = step  # flags.cfg says what was done
        changes = {name: change for name, change in changes.items() if name != "steps"}
    history.record(experiment.metrics, step, changes, values.workdir)
    experiment.claim()
    experiment.metrics.rewind(step)
    lower_rates(experiment)
    size = f"{experiment.size / 2**20:,.1f} MiB"
    kept = f"a checkpoint takes {size}, of which {values.keep} are kept"
    print(f"{values.workdir}: {kept}", file=sys.stderr)
    if not resumed:
        experiment.save(values.keep)


def fit(experiment: Experiment) -> None:
    """Makes updates to the end of the run, or of the logging interval that it resumes in.

    Args:
        experiment: set to a checkpoint.
    """
    values, algorithm = experiment.values, experiment.algorithm
    step = algorithm.num_updates
    left, into = values.steps - step, step % values.log_every
    # A resumed run may stand within an interval, and the last interval may be cut short. Each of
    # the two is a `fit` of its own, of one short epoch; `main` calls again for the rest.
    whole_intervals = 0 if into else left // values.log_every
    updates = values.log_every if whole_intervals else min(left, values.log_every - into)
    order = random.fold_in(random.root(values.seed), ORDER)
    with contextlib.closing(callbacks.Progress(experiment, values.steps)) as progress:
        algorithm.fit(
            experiment.images.train.batches(values.batch_size, order, start=step),
            steps_per_epoch=updates,
            epochs=whole_intervals or 1,
            verbose=0,
            callbacks=[
                progress,
                # before the row that it judges is written among the usual ones
                callbacks.Guard(experiment, values.guard_factor),
                callbacks.Log(experiment),
                callbacks.Pictures(experiment, values.sample_every, values.steps),
                callbacks.Save(experiment, values.save_every, values.steps, values.keep),
            ],
        )


def roll_back(experiment: Experiment, diverged: DivergedError) -> None:
    """Goes back to the last checkpoint with lower learning rates.

    Args:
        experiment: whose run diverged.
        diverged: when, and why.

    Raises:
        UserError: after too many times.
    """
    values = experiment.values
    times = len(experiment.metrics.rows("guard")) + 1
    step = checkpoints.restore(experiment.checkpoints, experiment.state)
    # Rates follow from the guard's rows: once this one stands, a kill loses nothing and counts
    # nothing twice.
    row = {
        "reason": diverged.reason,
        "rolled_back_to": step,
        "rate_factor": values.guard_rate**times,
        "times": times,
    }
    experiment.metrics.append("guard", diverged.step, row)
    experiment.metrics.rewind(step)
    lower_rates(experiment)
    if times >= values.guard_rollbacks:
        raise UserError(
            f"the run diverged {times} times, last at step {diverged.step} ({diverged.reason}); "
            f"{experiment.checkpoints} holds step {step}; lower the learning rate or the sampler's "
            "step size"
        )


def lower_rates(experiment: Experiment) -> None:
    """Sets the factor on the learning rates to what the divergences so far make it."""
    factor = experiment.values.guard_rate ** len(experiment.metrics.rows("guard"))
    for schedule in experiment.schedules:
        schedule.factor.assign(factor)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
