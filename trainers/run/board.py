"""TensorBoard's log of a run, whose failures end nothing."""

import contextlib
import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.util import event_pb2

FAILURES = (tf.errors.OpError, OSError)
"""What a full disk, and one that may not be written on, raise."""


class Board:
    """A writer of events that goes silent when it cannot write.

    Args:
        workdir: of a run.
        purged: a step from which on older events are void, since they are about to be made again;
            None leaves all.
    """

    def __init__(self, workdir: pathlib.Path, purged: int | None = None):
        self.writer: Any = None
        self.directory = workdir / "tensorboard"
        with self._tolerant():
            self.writer = tf.summary.create_file_writer(str(self.directory))
            if purged is not None:
                self._purge(purged)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers of a step, by name."""
        with self._tolerant(), self._at(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Writes a picture [h, w, c] of a step."""
        with self._tolerant(), self._at(step):
            tf.summary.image(name, image[None])

    def _purge(self, step: int) -> None:
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        event = event_pb2.Event(step=step, session_log=start)
        content = tf.constant(event.SerializeToString())
        with self._at(step):
            # the one way to write an event that is no summary
            tf.raw_ops.ImportEvent(writer=self.writer._resource, event=content)

    @contextlib.contextmanager
    def _at(self, step: int) -> Iterator[None]:
        if self.writer is None:
            with tf.summary.record_if(False):
                yield
            return
        with self.writer.as_default(step):
            yield
        self.writer.flush()

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            self.writer = None
            # TensorFlow's messages begin with the name of an operation
            reason = str(error).splitlines()[0].rpartition("}} ")[2]
            print(f"{self.directory}: nothing more is written there: {reason}", file=sys.stderr)
