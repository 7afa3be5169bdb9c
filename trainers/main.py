"""Trains what the flags describe. The same command, given again, resumes the run.

    python -m trainers.main --flagfile=RECIPE --workdir=DIR [--steps=N] [overrides]

A recipe is a flagfile, or the name of a packaged one (`tfgen recipes` lists them). Under DIR stand
flags.cfg (re-runnable), checkpoints/, tensorboard/, metrics.jsonl and samples/*.png.
"""

import contextlib
import dataclasses
import json
import pathlib
import shutil
import sys

import keras
from absl import flags as absl_flags

from tfgen import files, random
from tfgen.errors import UserError
from tfgen.models import saved
from tfgen.training.batches import ORDER
from trainers.run import (
    best,
    callbacks,
    checkpoints,
    commands,
    dataset,
    flags,
    guard,
    history,
    lasting,
    launcher,
    locks,
    records,
    stopping,
    strategy,
)
from trainers.run.board import Board
from trainers.run.experiment import Experiment
from trainers.run.flags import define
from trainers.run.guard import DivergedError, Guard
from trainers.run.identity import refuse_others
from trainers.run.lasting import StopRequest
from trainers.run.state import bytes_of
from trainers.run.workers import Workers

AGAIN = "the same command goes on from there"


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
    for name in ("log_every", "steps"):
        if values[name].value % values.steps_per_execution:
            multiple = f"a multiple of --steps_per_execution={values.steps_per_execution}"
            raise UserError(f"--{name}: expected {multiple} and found {values[name].value}")
    _check_lines(values)
    workdir = pathlib.Path(values.workdir)
    values["dataset"].value = dataset.absolute(values.dataset)
    dataset.refuse_workdir_inside(values.dataset, workdir)
    refuse_others(values)
    if launcher.is_needed(values):
        launcher.run(values)
        return
    workers = Workers(strategy.build(values.strategy, values.tpu))
    launcher.check(values, strategy.num_workers(workers.strategy))
    with contextlib.ExitStack() as stack:
        # the chief's lock is that of all
        workers.led(lambda: stack.enter_context(locks.held(workdir)))
        # again, since another training may just have ended
        train(values, workers.led(lambda: refuse_others(values)), workers)


def train(values: absl_flags.FlagValues, changes: history.Changes, workers: Workers) -> None:
    """Trains, or goes on training, in a work directory that is this process's alone.

    Args:
        values: the flags, set.
        changes: the flags in which this command differs from the one before.
        workers: who trains.
    """
    experiment = Experiment(values, workers)
    experiment.check_labels()
    if values.steps_per_execution > 1 and experiment.algorithm.callbacks():
        raise UserError(
            f"--steps_per_execution: expected 1, since {values.algorithm} acts between two updates "
            f"to grow or to end a stage, and found {values.steps_per_execution}"
        )
    if values.keep_best is not None:
        best.check(values.keep_best, list(experiment.algorithm.means))
    if values.stop_at_gap is not None:
        stopping.check(values.stop_at_gap, values.log_every, list(experiment.algorithm.means))
    begin(experiment, changes)
    algorithm = experiment.algorithm
    with lasting.stop_requests() as request:
        # a run that is called again may have come to its end before
        while algorithm.num_updates < values.steps and not workers.told(experiment.finished):
            try:
                with experiment.strategy.scope():
                    fit(experiment, request)
            except DivergedError as diverged:
                roll_back(experiment, diverged)
            except callbacks.StoppedError:
                commands.stop(request.signal, f"saved at step {algorithm.num_updates}; {AGAIN}")


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
    values, step, workers = experiment.values, 0, experiment.workers
    if not workers.alike(flags.written(values)):
        raise UserError("--workers: expected the same flags of all workers and found others here")
    if not workers.alike(json.dumps(dataclasses.asdict(experiment.stamp))):
        raise UserError("--dataset: expected the same data for all workers and found others here")
    resumed = workers.led(lambda: clear(experiment))
    if resumed:
        step = experiment.restore()
    if step > values.steps:
        if workers.is_chief:
            words = f"nothing to do: {step} of {values.steps} updates are made"
            print(f"{values.workdir}: {words}", file=sys.stderr)
        values["steps"].value = step  # flags.cfg says what was done
        changes = {name: change for name, change in changes.items() if name != "steps"}
    workers.led(lambda: claim(experiment, step, changes))
    force = guard.follow(experiment)
    if workers.is_chief:
        tell(experiment, force)
    if not resumed:
        workers.led(lambda: experiment.save(values.keep))


def clear(experiment: Experiment) -> bool:
    """Removes what a kill left behind, and returns whether there is a checkpoint to go on from."""
    checkpoints.clear_leftovers(experiment.checkpoints)
    for directory in (experiment.workdir, experiment.workdir / "samples"):
        files.clear_leftovers(directory)
    forget_passed(experiment)
    return bool(checkpoints.steps(experiment.checkpoints))


def claim(experiment: Experiment, step: int, changes: history.Changes) -> None:
    """Writes what the run is, and drops the rows after the step that it goes on from."""
    history.record(experiment.metrics, step, changes, experiment.values.workdir)
    experiment.claim()
    experiment.metrics.rewind(step)


def tell(experiment: Experiment, force: guard.Verdict) -> None:
    """Prints what a user should know before the first update."""
    values = experiment.values
    print(f"devices: {strategy.described(experiment.strategy)}", file=sys.stderr)
    if force.last is not None:
        print(
            f"{values.workdir}: the guard multiplies learning rates by {force.rate_factor:g} and "
            f"step sizes by {force.step_factor:g} since the divergence at step "
            f"{force.last['step']} ({force.last['reason']}); another rate or step size resets it",
            file=sys.stderr,
        )
    size = f"{bytes_of(experiment.state) / 2**20:,.1f} MiB"
    kept = f"a checkpoint takes {size}, of which {values.keep} are kept"
    print(f"{values.workdir}: {kept}", file=sys.stderr)


def fit(experiment: Experiment, request: StopRequest) -> None:
    """Makes updates to the end of the run, or of the logging interval that it resumes in.

    Args:
        experiment: set to a checkpoint.
        request: whether the process was asked to stop.

    Raises:
        DivergedError: if the run diverges.
        StoppedError: once the run is saved, if it was asked to stop.
    """
    values, algorithm = experiment.values, experiment.algorithm
    step = algorithm.num_updates
    left, into = values.steps - step, step % values.log_every
    # A resumed run may stand within an interval, and the last interval may be cut short. Each of
    # the two is a `fit` of its own, of one short epoch; `main` calls again for the rest.
    whole_intervals = 0 if into else left // values.log_every
    updates = values.log_every if whole_intervals else min(left, values.log_every - into)
    # a run that was begun otherwise may stand between two calls
    together = updates % values.steps_per_execution == 0
    algorithm.execute_together(values.steps_per_execution if together else 1)
    with contextlib.closing(callbacks.Progress(experiment, values.steps)) as progress:
        algorithm.fit(
            experiment.batches(random.fold_in(random.root(values.seed), ORDER), step),
            steps_per_epoch=updates,
            epochs=whole_intervals or 1,
            verbose=0,
            callbacks=[progress, *_callbacks(experiment, request, step)],
        )


def _callbacks(
    experiment: Experiment, request: StopRequest, step: int
) -> list[keras.callbacks.Callback]:
    """Returns what is done between updates, in its order."""
    values = experiment.values
    # before the row that it judges is written among the usual ones
    watching = Guard(experiment, values.guard_factor)
    written: list[keras.callbacks.Callback] = []
    if experiment.workers.is_chief:
        board = Board(experiment.workdir, purged=step + 1)
        written = [
            callbacks.Log(experiment, board, watching),
            callbacks.Pictures(experiment, board, values.sample_every, values.steps),
        ]
    return [
        callbacks.Resume(experiment),
        watching,
        callbacks.Led(experiment, written),
        callbacks.Save(experiment, values.save_every, values.steps, values.keep, request),
        callbacks.End(experiment),
    ]


def roll_back(experiment: Experiment, diverged: DivergedError) -> None:
    """Goes back to a checkpoint: the n-th newest after the n-th divergence without progress.

    Args:
        experiment: whose run diverged.
        diverged: when, and why.

    Raises:
        UserError: after too many times.
    """
    workers = experiment.workers
    row, target = workers.led(lambda: chosen(experiment, diverged))
    experiment.restore(target)
    workers.led(lambda: note(experiment, diverged.step, row | {"rolled_back_to": target}))
    guard.follow(experiment)
    if row["times"] >= experiment.values.guard_rollbacks:
        kept = ", ".join(map(str, checkpoints.steps(experiment.checkpoints)))
        rates = ", ".join(f"--{name} ({value:g})" for name, value in row["rates"].items())
        raise UserError(
            f"the run diverged {row['times']} times without progress, last at step {diverged.step} "
            f"({diverged.reason}); {experiment.checkpoints} holds the steps {kept}; lower the "
            f"learning rate or the sampler's step size: {rates}"
        )


def chosen(experiment: Experiment, diverged: DivergedError) -> tuple[dict, int]:
    """Returns the guard's row of a divergence, and the step to go back to."""
    values, metrics = experiment.values, experiment.metrics
    good = experiment.good_step
    rows, sampling = metrics.rows("guard"), experiment.algorithm.has_sampler
    row = guard.next_row(rows, values, diverged, -1 if good is None else good, sampling)
    # what the last try leaves stays for the user
    back = 1 if row["times"] >= values.guard_rollbacks else row["times"]
    steps = checkpoints.steps(experiment.checkpoints)
    newest = steps[-min(back, len(steps))]
    return row, checkpoints.newest_whole(experiment.checkpoints, most=newest)


def note(experiment: Experiment, step: int, row: dict) -> None:
    """Writes the guard's row of a divergence, and drops what is made again."""
    # Rates follow from the guard's rows: once this one stands, a kill loses nothing and counts
    # nothing twice.
    experiment.metrics.append("guard", step, row)
    experiment.metrics.flush()
    forget_passed(experiment)
    experiment.metrics.rewind(row["rolled_back_to"])


def forget_passed(experiment: Experiment) -> None:
    """Removes the checkpoints that the last roll-back went past: those of the diverged try."""
    rows = experiment.metrics.rows("guard")
    if not rows:
        return
    for step in checkpoints.steps(experiment.checkpoints):
        place = saved.checkpoint(experiment.checkpoints, step)
        stamp = records.stamp_of(place)
        if step > rows[-1]["rolled_back_to"] and stamp and stamp.rollbacks < len(rows):
            shutil.rmtree(place)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
