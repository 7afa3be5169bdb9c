"""Terminals that go away: what is printed may be lost, what is computed is not."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any, TextIO


class Lasting:
    """A text stream whose failures end nothing: after the first one, output is dropped.

    A lost terminal, a closed pipe and a full log disk are such failures.

    Args:
        stream: to write to.
    """

    def __init__(self, stream: TextIO):
        self.stream = stream
        self.encoding = stream.encoding
        self.errors = stream.errors

    def write(self, text: str) -> int:
        """Writes text, or drops it."""
        try:
            return self.stream.write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        """Flushes, or drops what was not written yet."""
        try:
            self.stream.flush()
        except OSError:
            self._give_up()

    def isatty(self) -> bool:
        """Returns whether the stream is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """Returns the descriptor."""
        return self.stream.fileno()

    @property
    def buffer(self) -> IO[bytes]:
        """The stream of bytes beneath."""
        return self.stream.buffer

    @property
    def closed(self) -> bool:
        """Whether the stream is closed."""
        return self.stream.closed

    def _give_up(self) -> None:
        # what a buffer holds still, and what C++ code writes, has somewhere to go
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)


@contextlib.contextmanager
def output() -> Iterator[None]:
    """Within the block, stdout and stderr last."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_opened(stream, number) for number, stream in enumerate(streams, 1))
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = streams


def _opened(stream: TextIO | None, descriptor: int) -> TextIO:
    """Returns a stream that lasts; one that the process was started without leads nowhere."""
    if stream is None:
        null = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError):
            os.fstat(descriptor)  # something else has its number by now
            return Lasting(os.fdopen(null, "w"))  # type: ignore[return-value]
        os.dup2(null, descriptor)  # else the next file would have it, and C++ code write to it
        os.close(null)
        stream = os.fdopen(descriptor, "w")
    return Lasting(stream)  # type: ignore[return-value]


class StopRequest:
    """Whether the process was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def ask(self, number: int, frame: object) -> None:
        """Takes note of a signal; a second Ctrl-C stops at once."""
        del frame
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Within the block, SIGTERM and Ctrl-C are only taken note of, and a lost terminal is not."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # signals are the main thread's
        return
    handlers: dict[signal.Signals, Any] = {
        signal.SIGTERM: request.ask,
        signal.SIGINT: request.ask,
        signal.SIGHUP: signal.SIG_IGN,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
