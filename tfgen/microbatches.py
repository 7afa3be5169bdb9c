"""Gradient accumulation: the micro-batches of an update, which take turns and meet.

Each micro-batch makes the whole update with its part of the batch, as a replica does. Where
replicas exchange something, such as gradients, it waits, and the next one runs to the same place.
When all are there, what they bring is merged once, and all go on with the result. So an optimizer
makes one step by the whole batch's gradient, and nets that learn in turn meet each other as just
updated.

One micro-batch runs at a time. In a graph, its operations wait for those of the one before, so that
the activations of one are in memory and not those of all.

Python pauses a function only in a thread of its own; a hidden argument (a `ContextVar`) tells what
runs in it which micro-batch it belongs to. `tf.distribute.MirroredStrategy` traces its replicas in
threads for the same reason.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

import tensorflow as tf

Result = TypeVar("Result")
Update = Callable[..., dict[str, tf.Tensor]]

_TURN: ContextVar["_Turn | None"] = ContextVar("turn", default=None)


def count() -> int:
    """Returns how many micro-batches the present update has; 1 where its batch is whole."""
    turn = _TURN.get()
    return 1 if turn is None else turn.meeting.count


def number() -> int:
    """Returns which micro-batch of the present update runs, from 0."""
    turn = _TURN.get()
    return 0 if turn is None else turn.number


def mean(values: Sequence[tf.Tensor], then: Callable[[list[tf.Tensor]], Result]) -> Result:
    """Returns what a function makes of means over the micro-batches; it is called once.

    Args:
        values: this micro-batch's, of the shapes that all have.
        then: the function, of the means.
    """
    turn = _TURN.get()
    if turn is None:
        return then(list(values))
    share = turn.meeting.count

    def added(totals: list[tf.Tensor]) -> list[tf.Tensor]:
        return [total + value for total, value in zip(totals, values, strict=True)]

    return turn.met(list(values), added, lambda totals: then([t / share for t in totals]))


def gathered(value: tf.Tensor, then: Callable[[tf.Tensor], Result]) -> Result:
    """Returns what a function makes of the rows of all micro-batches; it is called once.

    Args:
        value: this micro-batch's rows, [b, ...].
        then: the function, of the rows in the order of the micro-batches.
    """
    turn = _TURN.get()
    if turn is None:
        return then(value)
    return turn.met([value], lambda rows: [*rows, value], lambda rows: then(tf.concat(rows, 0)))


def once(action: Callable[[], Result]) -> Result:
    """Returns what an action returns that all micro-batches make together, when all have come."""
    turn = _TURN.get()
    if turn is None:
        return action()
    return turn.met([], lambda nothing: nothing, lambda _: action())


def run(update: Update, parts: Sequence[tuple]) -> dict[str, tf.Tensor]:
    """Makes an update of micro-batches.

    Args:
        update: makes it of the arguments of a micro-batch, and returns scalars by name.
        parts: the arguments of each; of one, the update is made as without this file.

    Returns:
        The means of the scalars over the micro-batches.
    """
    if len(parts) == 1:
        return update(*parts[0])
    found = _Meeting(update, parts).held()
    return {name: tf.add_n([logs[name] for logs in found]) / len(parts) for name in found[0]}


class _EndedError(Exception):
    """Unwinds a micro-batch that waits, where another one has failed."""


class _Meeting:
    """What the micro-batches of an update share.

    Args:
        update: see `run`.
        parts: see `run`.

    Attributes:
        brought: by those that have come to the present place, merged.
        after: what the next one's operations wait for.
        then: makes the result of what all have brought.
        result: of the place before.
    """

    def __init__(self, update: Update, parts: Sequence[tuple]):
        self.count = len(parts)
        self.brought: list[tf.Tensor] = []
        self.after: list[tf.Tensor] = []
        self.then: Callable[[list[tf.Tensor]], Any] | None = None
        self.result: Any = None
        self.turns = [_Turn(self, number, update, part) for number, part in enumerate(parts)]

    def held(self) -> list[dict[str, tf.Tensor]]:
        """Returns what each update returns."""
        try:
            while True:
                self.then = None
                for turn in self.turns:
                    turn.go_on()
                if self.then is None:
                    return [turn.logs for turn in self.turns]
                self.result = self.then(self.brought)
        finally:
            for turn in self.turns:
                turn.end()


class _Turn:
    """The update of one micro-batch, in a thread that runs when it is its turn.

    Args:
        meeting: that it belongs to.
        number: of the micro-batch.
        update: see `run`.
        part: the update's arguments.
    """

    def __init__(self, meeting: _Meeting, number: int, update: Update, part: tuple):
        self.meeting, self.number = meeting, number
        self.logs: dict[str, tf.Tensor] = {}
        self.failure: BaseException | None = None
        self.is_over = False
        self._may_run, self._has_paused = threading.Event(), threading.Event()
        self._waiting = contextlib.ExitStack()
        self._scopes = _scopes()
        context = copy_context()
        context.run(_TURN.set, self)
        self._thread = threading.Thread(
            target=context.run, args=(self._run, update, part), daemon=True
        )
        self._thread.start()

    def go_on(self) -> None:
        """Lets the update run until it waits for the others, or is over."""
        self._may_run.set()
        self._has_paused.wait()
        self._has_paused.clear()
        if self.failure is not None:
            raise self.failure

    def end(self) -> None:
        """Ends the thread; an update that waits is given up."""
        self.is_over = True
        self._may_run.set()
        self._thread.join()

    def met(
        self,
        first: list[tf.Tensor],
        merged: Callable[[list[tf.Tensor]], list[tf.Tensor]],
        then: Callable[[list[tf.Tensor]], Any],
    ) -> Any:
        """Waits for the others, and returns what is made of what all bring.

        Args:
            first: what the first micro-batch brings.
            merged: adds what another one brings to what is there.
            then: makes the result.
        """
        meeting = self.meeting
        meeting.brought = merged(meeting.brought) if self.number else first
        meeting.after = meeting.brought or meeting.after
        meeting.then = then
        self._has_paused.set()
        self._wait()
        return meeting.result

    def _wait(self) -> None:
        self._may_run.wait()
        self._may_run.clear()
        if self.is_over:
            raise _EndedError
        self._waiting.enter_context(tf.control_dependencies(self.meeting.after))

    def _run(self, update: Update, part: tuple) -> None:
        try:
            with self._scopes(), self._waiting:
                self._wait()
                self.logs = update(*part)
        except _EndedError:
            pass
        except BaseException as failure:  # raised in the thread that waits
            self.failure = failure
        finally:
            self._has_paused.set()


def _scopes() -> Callable[[], contextlib.ExitStack]:
    """Returns what enters the scopes of TensorFlow that this thread is in, in another thread."""
    graph = None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
    replica = tf.distribute.get_replica_context() if tf.distribute.has_strategy() else None
    device = None if graph is None else tf.zeros(()).device

    def entered() -> contextlib.ExitStack:
        with contextlib.ExitStack() as scopes:
            if graph is not None:
                scopes.enter_context(graph.as_default())
            if replica is not None:
                scopes.enter_context(replica)
            scopes.enter_context(tf.device(device))
            return scopes.pop_all()

    return entered
