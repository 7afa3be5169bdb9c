"""The guard: it looks out for divergence and collapse, and says what a divergence leads to."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import flags as absl_flags

from trainers.run import catalogue
from trainers.run.experiment import Experiment
from trainers.run.metrics import Row
from trainers.run.state import not_finite

NORMS = ("_gap", "_norm", "_weight")
"""Endings of the logged numbers that a divergence drives up."""

COLLAPSING = ("_norm",)
"""Endings of the logged numbers that a collapse drives down."""

HISTORY = 20
"""Rows that a number's usual size is taken from, at most."""

LEAST_HISTORY = 5
"""Rows before which a number has no usual size."""

COLLAPSE = 1e-6
"""A norm of this share of its median has collapsed."""

SMALLEST = 1e-6
"""Sizes below this one are all alike to the guard."""

OF_SAMPLER = ("langevin_grad_norm", "energy_samples")
"""Logged numbers that diverge first where the sampler's step is too long."""

PATIENCE = 3
"""Divergences without progress after which the sampler's steps are shortened as well as rates."""

LARGEST_WEIGHT = "largest_weight"
"""The name, in metrics.jsonl, of the largest weight of all nets."""


class DivergedError(Exception):
    """A number of the run is not finite, has run away, or has vanished.

    Attributes:
        step: when it was seen.
        reason: one clause that names the number.
        of_sampler: whether the sampler is to blame rather than the learning rates.
    """

    def __init__(self, step: int, reason: str, of_sampler: bool = False):
        super().__init__(reason)
        self.step = step
        self.reason = reason
        self.of_sampler = of_sampler


class Guard(keras.callbacks.Callback):
    """Ends `fit` with DivergedError when a number is NaN, runs away or vanishes.

    Looks at the logged numbers and at the whole state: weights, moving averages, the optimizers'
    moments, chains and buffers. A number has a usual size after LEAST_HISTORY rows of the same nets
    and stage.

    Args:
        experiment: whose metrics hold the usual sizes.
        factor: a gap, norm or weight this many times its usual size has run away.

    Attributes:
        largest_weight: of all nets, when last looked at.
    """

    def __init__(self, experiment: Experiment, factor: float):
        super().__init__()
        self.experiment = experiment
        self.factor = factor
        self.largest_weight = math.nan

    def on_train_begin(self, logs=None):
        self.largest_weight = largest_weight(self.experiment)

    def on_epoch_end(self, epoch, logs=None):
        before, self.largest_weight = self.largest_weight, largest_weight(self.experiment)
        if self.experiment.values.guard:
            self._agree(before, logs)
        follow(self.experiment)

    def _agree(self, before: float, logs: Mapping[str, float]) -> None:
        """Raises DivergedError on all workers where the chief, who has the rows, sees cause to."""
        seen: Any = None
        if self.experiment.workers.is_chief:
            try:
                self._judge(before, logs)
            except DivergedError as error:
                seen = [error.step, str(error), error.of_sampler]
        seen = self.experiment.workers.told(seen)
        if seen is not None:
            raise DivergedError(*seen)

    def _judge(self, before: float, logs: Mapping[str, float]) -> None:
        """Raises DivergedError at a number that is not finite, has run away or has vanished."""
        step = self.experiment.algorithm.num_updates
        self._check_finite(step, logs)
        if self.largest_weight > self.factor * max(before, 1.0):
            reason = f"the largest weight is {self.largest_weight:.4g}, and was {before:.4g}"
            raise DivergedError(step, reason)
        since = self.experiment.algorithm.last_growth
        newest = self.experiment.metrics.newest("train", HISTORY)
        rows = [row for row in newest if row["step"] > since]
        learned = self.experiment.algorithm.has_learned(logs)
        for name, value in ({**logs, LARGEST_WEIGHT: self.largest_weight}).items():
            known = [abs(row[name]) for row in rows if is_number(row.get(name))]
            if len(known) >= LEAST_HISTORY and name.endswith(NORMS):
                far = judgement(abs(value), known, self.factor, name, learned)
                if far:
                    reason = f"{name} is {value:.4g}, {far}"
                    raise DivergedError(step, reason, name in OF_SAMPLER)

    def _check_finite(self, step: int, logs: Mapping[str, float]) -> None:
        """Raises DivergedError at a logged number, or a variable, that is not finite."""
        bad = not_finite(self.experiment.state)
        # chains are lost while all weights are well: their steps are too long
        weights = math.isfinite(self.largest_weight)
        for name, value in logs.items():
            if not math.isfinite(value):
                of_sampler = name in OF_SAMPLER and weights
                raise DivergedError(step, f"{name} is {value}", of_sampler)
        if bad is not None:
            raise DivergedError(step, f"{bad} is not finite", weights and "chains" in bad)


def judgement(
    value: float, known: Sequence[float], factor: float, name: str, learned: bool
) -> str | None:
    """Returns why a size is far from usual, or None.

    Args:
        value: the size, not negative.
        known: sizes of the last rows, at least one.
        factor: a size this many times the usual one has run away.
        name: of the number.
        learned: whether a vanishing gradient is no collapse.
    """
    median = statistics.median(known)
    # numbers of a young run rise by themselves
    usual = median if len(known) >= HISTORY else max(known)
    if value > factor * max(usual, SMALLEST):
        return f"usually about {usual:.4g}"
    vanished = value < COLLAPSE * median and median > SMALLEST
    if vanished and name.endswith(COLLAPSING) and not learned:
        return f"usually about {median:.4g}: it has collapsed"
    return None


def largest_weight(experiment: Experiment) -> float:
    """Returns the largest weight of all nets, NaN or infinity if one is not finite."""
    sizes = [
        tf.reduce_max(tf.abs(tf.cast(tf.convert_to_tensor(v), tf.float32)))
        for v in experiment.algorithm.trainable_variables
    ]
    found = tf.stack(sizes).numpy().tolist() if sizes else [0.0]
    # Python's max does not see NaN
    return math.nan if any(math.isnan(size) for size in found) else max(found)


def is_number(value: Any) -> bool:
    """Returns whether a row's value is a finite number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the divergences so far lead to.

    Attributes:
        rate_factor: on all learning rates.
        step_factor: on the sampler's step size.
        times: divergences since the last progress.
        total: divergences in all.
        last: the row of the last one; None if there was none that counts.
    """

    rate_factor: float
    step_factor: float
    times: int
    total: int
    last: Row | None


def verdict(rows: Sequence[Row], values: absl_flags.FlagValues, step: int) -> Verdict:
    """Returns what the guard's rows lead to at a step.

    It depends on these and the step alone, so that a resumed run goes on as it would have.

    Args:
        rows: of the guard, in order.
        values: the run's flags.
        step: updates made.
    """
    rates = rates_of(values)
    last = rows[-1] if rows else None
    # a user who changes a rate or a step size has acted on what the guard said
    if last is None or last.get("rates", rates) != rates:
        return Verdict(1.0, 1.0, 0, len(rows), None)
    good = max(0, step - last["rolled_back_to"]) // values.log_every
    rests = good // values.guard_reset if values.guard_reset else 0
    recovered = values.guard_rate**-rests if values.guard_rate else 1.0
    ceiling = last.get("ceiling", 1.0)
    lowered = last["rate_factor"]
    return Verdict(
        rate_factor=max(lowered, min(ceiling, lowered * recovered)),
        step_factor=last.get("step_factor", 1.0),
        times=0 if rests else last["times"],
        total=len(rows),
        last=last,
    )


def follow(experiment: Experiment) -> Verdict:
    """Sets rates, steps and noise to what the divergences so far make them, and returns that."""
    algorithm = experiment.algorithm

    def judged() -> dict[str, Any]:
        rows = experiment.metrics.rows("guard")
        return dataclasses.asdict(verdict(rows, experiment.values, algorithm.num_updates))

    # the chief's rows count: files that it wrote may reach other machines later
    found = Verdict(**experiment.workers.led(judged))
    for schedule in experiment.schedules:
        schedule.factor.assign(found.rate_factor)
    algorithm.retry(found.total, found.step_factor)
    return found


def next_row(
    rows: Sequence[Row],
    values: absl_flags.FlagValues,
    diverged: DivergedError,
    progress: int,
    has_sampler: bool,
) -> Row:
    """Returns the row of a divergence, without where the run goes back to.

    Args:
        rows: of the guard so far.
        values: the run's flags.
        diverged: when, and why.
        progress: the newest checkpoint that is known to be good.
        has_sampler: whether the algorithm's updates sample.
    """
    before = verdict(rows, values, diverged.step)
    last: Row = before.last or {"furthest": -1, "rate_factor": 1.0}
    again = before.times > 0 and progress <= last["furthest"]
    times = before.times + 1 if again else 1
    to_blame = has_sampler and diverged.of_sampler
    shorter = to_blame or (has_sampler and times > PATIENCE)
    rate = before.rate_factor * (1.0 if to_blame else values.guard_rate)
    # a rate that was gone back to and failed again is never gone back to any more
    failed = before.rate_factor > last["rate_factor"]
    return {
        "reason": diverged.reason,
        "rate_factor": rate,
        "step_factor": before.step_factor * (values.guard_rate if shorter else 1.0),
        "ceiling": rate if failed else last.get("ceiling", 1.0),
        "times": times,
        "furthest": max(diverged.step, last["furthest"] if again else 0),
        "rates": rates_of(values),
    }


def rates_of(values: absl_flags.FlagValues) -> dict[str, float]:
    """Returns the learning rates and step sizes of a run by their flags."""
    owners = (values.algorithm, *catalogue.roles(values.algorithm))
    names = [f"{owner}.{end}" for owner in owners for end in ("learning_rate", "step_size")]
    given = {name: values[name].value for name in names if name in values}
    return {name: value for name, value in given.items() if value is not None}
