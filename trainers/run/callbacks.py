"""Callbacks of a run: they look out for divergence, log, draw, save, and show the progress."""

import math
import statistics
import time

import keras
import tensorflow as tf
from tqdm import tqdm

from trainers.drawings import pictures
from trainers.run.experiment import Experiment

NORMS = ("_gap", "_norm")
"""Endings of the logged numbers that a divergence drives up."""

SHOWN = ("_gap", "_error", "entropy")
"""Endings of the logged numbers that the progress bar shows."""

HISTORY = 20
"""Rows that a number's usual size is taken from."""

PICTURED = 16
"""Training examples that pictures are made of."""


class DivergedError(Exception):
    """A logged number is not finite, or has run away.

    Attributes:
        step: when it was seen.
        reason: one clause that names the number.
    """

    def __init__(self, step: int, reason: str):
        super().__init__(reason)
        self.step = step
        self.reason = reason


class Guard(keras.callbacks.Callback):
    """Ends `fit` with DivergedError when a logged number is NaN or runs away.

    A number has a usual size after HISTORY rows of the same nets: a layer that is added changes it.

    Args:
        experiment: whose metrics hold the usual sizes.
        factor: a gap or norm this many times the median of its last rows has run away.
    """

    def __init__(self, experiment: Experiment, factor: float):
        super().__init__()
        self.experiment = experiment
        self.factor = factor

    def on_epoch_end(self, epoch, logs=None):
        step = self.experiment.algorithm.num_updates
        since = self.experiment.algorithm.last_growth
        rows = [row for row in self.experiment.metrics.rows("train") if row["step"] > since]
        rows = rows[-HISTORY:]
        for name, value in logs.items():
            if not math.isfinite(value):
                raise DivergedError(step, f"{name} is {value}")
            if name.endswith(NORMS) and len(rows) == HISTORY:
                usual = statistics.median(abs(row[name]) for row in rows)
                if abs(value) > self.factor * max(usual, 1e-6):
                    raise DivergedError(step, f"{name} is {value:.4g}, usually about {usual:.4g}")


class Log(keras.callbacks.Callback):
    """A row of metrics.jsonl and TensorBoard scalars at the end of each logging interval."""

    def __init__(self, experiment: Experiment):
        super().__init__()
        self.experiment = experiment
        self.writer = tf.summary.create_file_writer(str(experiment.workdir / "tensorboard"))

    def on_epoch_begin(self, epoch, logs=None):
        self.start, self.first = time.monotonic(), self.experiment.algorithm.num_updates

    def on_epoch_end(self, epoch, logs=None):
        algorithm = self.experiment.algorithm
        step = algorithm.num_updates
        optimizers = algorithm.optimizers.items()
        rates = {f"{role}_learning_rate": float(o.learning_rate) for role, o in optimizers}
        values = {name: float(value) for name, value in logs.items()} | rates
        seconds = time.monotonic() - self.start
        speed = (step - self.first) / seconds
        self.experiment.metrics.append("train", step, values | {"seconds": round(seconds, 3)})
        with self.writer.as_default(step):
            for name, value in (values | {"steps_per_second": speed}).items():
                tf.summary.scalar(name, value)
        self.writer.flush()


class Pictures(keras.callbacks.Callback):
    """Pictures as PNG files and in TensorBoard, every so many steps and at the end."""

    def __init__(self, experiment: Experiment, every: int, last: int):
        super().__init__()
        self.experiment = experiment
        self.every = every
        self.last = last
        self.writer = tf.summary.create_file_writer(str(experiment.workdir / "tensorboard"))

    def on_epoch_end(self, epoch, logs=None):
        algorithm = self.experiment.algorithm
        step = algorithm.num_updates
        if step % self.every and step != self.last and not algorithm.finished:
            return
        for name, images in algorithm.pictures(self._batch()).items():
            grid = pictures.sheet(images.numpy())
            place = self.experiment.workdir / "samples" / f"{name}-{step:08d}.png"
            pictures.save(place, grid)
            with self.writer.as_default(step):
                tf.summary.image(name, grid[None])
        self.writer.flush()

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
    """A checkpoint every so many steps and at the end."""

    def __init__(self, experiment: Experiment, every: int, last: int, keep: int):
        super().__init__()
        self.experiment = experiment
        self.every = every
        self.last = last
        self.keep = keep

    def on_epoch_end(self, epoch, logs=None):
        algorithm = self.experiment.algorithm
        step = algorithm.num_updates
        if step % self.every == 0 or step == self.last or algorithm.finished:
            self.experiment.save(self.keep)


class Progress(keras.callbacks.Callback):
    """A bar with steps a second, time left and the newest numbers."""

    def __init__(self, experiment: Experiment, last: int):
        super().__init__()
        step = experiment.algorithm.num_updates
        self.bar = tqdm(total=last, initial=step, unit="step", dynamic_ncols=True, smoothing=0.05)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update()

    def on_epoch_end(self, epoch, logs=None):
        shown = {name: f"{value:.4g}" for name, value in logs.items() if name.endswith(SHOWN)}
        self.bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        """Ends the bar's line, however training ended."""
        self.bar.close()
