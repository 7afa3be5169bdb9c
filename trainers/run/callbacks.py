"""Callbacks of a run: they log, draw, save, stop, and show the progress."""

import signal
import time

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from trainers.drawings import pictures
from trainers.run import checkpoints
from trainers.run.board import Board
from trainers.run.checkpoints import NotFiniteError
from trainers.run.experiment import Experiment
from trainers.run.guard import LARGEST_WEIGHT, DivergedError, Guard
from trainers.run.lasting import StopRequest

SHOWN = ("_gap", "_error", "entropy")
"""Endings of the logged numbers that the progress bar shows."""

PICTURED = 16
"""Training examples that pictures are made of."""


ASKED_EVERY = 10
"""Calls of the training step after which several workers ask each other for signals."""


class StoppedError(Exception):
    """A training that was asked to stop, and has saved what it had."""


class Resume(keras.callbacks.Callback):
    """Goes on with the means of a logging interval that a stopped run had begun.

    Args:
        experiment: as it was restored.
    """

    def __init__(self, experiment: Experiment):
        super().__init__()
        variables = [v for metric in experiment.algorithm.metrics for v in metric.variables]
        # those of an interval that is over are not gone on with
        within = experiment.algorithm.num_updates % experiment.values.log_every
        self.means = [(v, np.array(v)) for v in variables if within]

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:  # Keras has just set them to zero
            for variable, value in self.means:
                variable.assign(value)


class Log(keras.callbacks.Callback):
    """A row of metrics.jsonl and TensorBoard scalars at the end of each logging interval.

    Args:
        experiment: whose metrics to write.
        board: TensorBoard's log.
        guard: has looked at the weights before.
    """

    def __init__(self, experiment: Experiment, board: Board, guard: Guard):
        super().__init__()
        self.experiment = experiment
        self.board = board
        self.guard = guard

    def on_epoch_begin(self, epoch, logs=None):
        self.start, self.first = time.monotonic(), self.experiment.algorithm.num_updates

    def on_epoch_end(self, epoch, logs=None):
        algorithm = self.experiment.algorithm
        step = algorithm.num_updates
        optimizers = algorithm.optimizers.items()
        rates = {f"{role}_learning_rate": float(o.learning_rate) for role, o in optimizers}
        values = {name: float(value) for name, value in logs.items()} | rates
        values[LARGEST_WEIGHT] = self.guard.largest_weight
        seconds = time.monotonic() - self.start
        speed = (step - self.first) / seconds
        self.experiment.metrics.append("train", step, values | {"seconds": round(seconds, 3)})
        self.board.scalars(step, values | {"steps_per_second": speed})


class Led(keras.callbacks.Callback):
    """Lets the chief alone do what other callbacks do at the end of a logging interval.

    Args:
        experiment: whose workers wait; all end where the chief fails.
        others: what to do.
    """

    def __init__(self, experiment: Experiment, others: list[keras.callbacks.Callback]):
        super().__init__()
        self.workers = experiment.workers
        self.others = others

    def on_epoch_begin(self, epoch, logs=None):
        for other in self.others:
            other.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        def act() -> None:
            for other in self.others:
                other.on_epoch_end(epoch, logs)

        self.workers.led(act)


class Pictures(keras.callbacks.Callback):
    """Pictures as PNG files and in TensorBoard, every so many steps and at the end."""

    def __init__(self, experiment: Experiment, board: Board, every: int, last: int):
        super().__init__()
        self.experiment = experiment
        self.board = board
        self.every = every
        self.last = last

    def on_epoch_end(self, epoch, logs=None):
        algorithm = self.experiment.algorithm
        step = algorithm.num_updates
        if step % self.every and step != self.last and not self.experiment.finished:
            return
        for name, images in algorithm.pictures(self._batch()).items():
            shown = pictures.sheet(images.numpy())
            place = self.experiment.workdir / "samples" / f"{name}-{step:08d}.png"
            if shown.ndim == 4:  # a film, of which the picture is a strip
                pictures.save(place.with_suffix(pictures.FILM), shown)
                shown = pictures.strip(shown)
            pictures.save(place, shown)
            self.board.image(step, name, shown)

    def _batch(self) -> dict[str, tf.Tensor]:
        """Returns the first training examples, patches cut at the corner."""
        train = self.experiment.images.train
        image = train.shown(PICTURED)
        batch = {
            "image": tf.constant(image),
            "index": tf.range(len(image), dtype=tf.int64),
        }
        if train.label is not None:
            batch["label"] = tf.constant(train.label[: len(image)])
        return batch


class Save(keras.callbacks.Callback):
    """A checkpoint every so many steps, at the end, and when the process is asked to stop.

    Args:
        experiment: to save.
        every: updates between two checkpoints.
        last: the run's last update.
        keep: how many checkpoints to leave.
        request: whether the process was asked to stop.
    """

    def __init__(
        self, experiment: Experiment, every: int, last: int, keep: int, request: StopRequest
    ):
        super().__init__()
        self.experiment = experiment
        self.every = every
        self.last = last
        self.keep = keep
        self.request = request
        self.calls = 0

    def on_epoch_end(self, epoch, logs=None):
        step = self.experiment.algorithm.num_updates
        finished = self.experiment.workers.told(self.experiment.finished)
        if step % self.every == 0 or step == self.last or finished:
            self._save(step, passing=False)
        self._stop(step)

    def on_train_batch_end(self, batch, logs=None):
        if not self._may_stop():
            return
        step = self.experiment.algorithm.num_updates
        # the end of an interval is left to `on_epoch_end`, which logs it
        if step % self.experiment.values.log_every:
            self._stop(step)

    def _may_stop(self) -> bool:
        """Returns whether to look for a signal; workers seldom do, since each waits for all."""
        if not self.experiment.workers.several:
            return self.request.signal is not None
        self.calls += 1
        return self.calls % ASKED_EVERY == 0

    def _stop(self, step: int) -> None:
        workers = self.experiment.workers
        # a signal to one worker stops all, after the same update
        number = workers.largest(self.request.signal or 0)
        if not number:
            return
        self.request.signal = signal.Signals(number)
        if workers.told(step not in checkpoints.steps(self.experiment.checkpoints)):
            self._save(step, passing=True)
        raise StoppedError

    def _save(self, step: int, *, passing: bool) -> None:
        def write() -> str | None:
            try:
                self.experiment.save(self.keep, passing)
            except NotFiniteError as error:
                return str(error)
            return None

        bad = self.experiment.workers.led(write)
        if bad is None:
            return
        if self.experiment.values.guard:
            raise DivergedError(step, bad)
        raise NotFiniteError(bad)


class End(keras.callbacks.Callback):
    """Ends training at the logging interval in which the run came to its own end."""

    def __init__(self, experiment: Experiment):
        super().__init__()
        self.experiment = experiment

    def on_epoch_end(self, epoch, logs=None):
        if self.experiment.workers.told(self.experiment.finished):
            self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """A bar with steps a second, time left and the newest numbers."""

    def __init__(self, experiment: Experiment, last: int):
        super().__init__()
        step = experiment.algorithm.num_updates
        self.bar = tqdm(
            total=last,
            initial=step,
            unit="step",
            dynamic_ncols=True,
            smoothing=0.05,
            disable=not experiment.workers.is_chief,
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(self.model.steps_per_execution)

    def on_epoch_end(self, epoch, logs=None):
        shown = {name: f"{value:.4g}" for name, value in logs.items() if name.endswith(SHOWN)}
        self.bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        """Ends the bar's line, however training ended."""
        self.bar.close()
