"""Trains what the flags describe; run again with the same work directory, goes on where it stopped.

    python -m trainers.main --flagfile=trainers/flagfiles/NAME.flags --workdir=DIR [--steps=N] [overrides]

Writes under DIR: flags.cfg (re-runnable), checkpoints/, tensorboard/, metrics.jsonl, samples/*.png.
"""

import contextlib
import sys

from absl import flags as absl_flags

from tfgen import random
from tfgen.errors import UserError
from trainers.run import callbacks, checkpoints, commands, flags
from trainers.run.callbacks import DivergedError
from trainers.run.experiment import Experiment, refuse_others
from trainers.run.flags import define


def main(values: absl_flags.FlagValues) -> None:
    """Trains, or goes on training."""
    flags.require(values, "workdir", "algorithm", "nets", "dataset")
    for name in ("save_every", "sample_every"):
        if values[name].value % values.log_every:
            raise UserError(f"--{name}: expected a multiple of --log_every={values.log_every}")
    refuse_others(values)
    experiment = Experiment(values)
    experiment.check_labels()
    step = 0
    if checkpoints.steps(experiment.checkpoints):
        step = checkpoints.restore(experiment.checkpoints, experiment.state)
    experiment.claim()
    experiment.metrics.rewind(step)
    lower_rates(experiment)
    print(
        f"{values.workdir}: a checkpoint takes {experiment.size / 2**20:,.1f} MiB, of which {values.keep} are kept",
        file=sys.stderr,
    )
    if not checkpoints.steps(experiment.checkpoints):
        experiment.save(values.keep)
    # an algorithm may have had enough before
    while experiment.algorithm.num_updates < values.steps and not experiment.algorithm.finished:
        try:
            with experiment.strategy.scope():
                fit(experiment)
        except DivergedError as diverged:
            roll_back(experiment, diverged)


def fit(experiment: Experiment) -> None:
    """Updates to the end of the run, or of the logging interval that a resumed run stands in."""
    v, algorithm = experiment.values, experiment.algorithm
    step = algorithm.num_updates
    left, into = v.steps - step, step % v.log_every
    whole = 0 if into else left // v.log_every
    seed = random.fold_in(random.root(v.seed), -1)  # steps fold in from 0 up
    with contextlib.closing(callbacks.Progress(experiment, v.steps)) as progress:
        algorithm.fit(
            experiment.images.train.batches(v.batch_size, seed, start=step),
            steps_per_epoch=v.log_every if whole else min(left, v.log_every - into),
            epochs=whole or 1,
            shuffle=False,
            verbose=0,
            callbacks=[
                progress,
                callbacks.Guard(experiment, v.guard_factor),
                callbacks.Log(experiment),
                callbacks.Pictures(experiment, v.sample_every, v.steps),
                callbacks.Save(experiment, v.save_every, v.steps, v.keep),
            ],
        )


def roll_back(experiment: Experiment, diverged: DivergedError) -> None:
    """Goes back to the last good checkpoint with lower learning rates.

    Raises:
        UserError: after too many times.
    """
    v = experiment.values
    times = len(experiment.metrics.rows("guard")) + 1
    step = checkpoints.restore(experiment.checkpoints, experiment.state)
    # the rows are what rates follow from: once this one stands, a kill loses nothing and counts nothing twice
    experiment.metrics.append(
        "guard",
        diverged.step,
        {
            "reason": diverged.reason,
            "rolled_back_to": step,
            "rate_factor": v.guard_rate**times,
            "times": times,
        },
    )
    experiment.metrics.rewind(step)
    lower_rates(experiment)
    if times >= v.guard_rollbacks:
        raise UserError(
            f"the run diverged {times} times, last at step {diverged.step} ({diverged.reason}); "
            f"{experiment.checkpoints} holds step {step}; lower the learning rate or the sampler's step size"
        )


def lower_rates(experiment: Experiment) -> None:
    """Sets the learning rates' factor to what the divergences so far make it."""
    factor = experiment.values.guard_rate ** len(experiment.metrics.rows("guard"))
    for schedule in experiment.schedules:
        schedule.factor.assign(factor)


if __name__ == "__main__":
    commands.run(main, define, __doc__)
