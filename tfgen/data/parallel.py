"""Work on a stream of items by threads, in order and with few items in memory."""

import collections
import concurrent.futures
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

WAITING = 4
"""Items a thread that are in memory at once, done or not."""


def threads() -> int:
    """Returns the number of processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Found], items: Iterable[Item], workers: int | None = None
) -> Iterator[Found]:
    """Yields the result of some work on each item, in the items' order.

    Threads serve where the work leaves Python's lock, as Pillow does while it decodes and resizes.

    Args:
        work: what is done; called from several threads at once.
        items: taken from the stream in the caller's thread, a few ahead.
        workers: threads; None: as many as processors.

    Raises:
        Exception: what the work raised, in the turn of its item. Later items are given up.
    """
    count = workers or threads()
    pool = concurrent.futures.ThreadPoolExecutor(count)
    waiting: collections.deque[concurrent.futures.Future[Found]] = collections.deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            del item  # a large file is not kept for longer than the work takes
            if len(waiting) >= WAITING * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
