"""Opens data sets: small ones are read into memory, large ones prepared on the disk once."""

from collections.abc import Callable

import numpy as np

from tfgen.data import preprocess, splits, store
from tfgen.data.contents import Contents
from tfgen.data.preprocess import Progress
from tfgen.data.request import Request
from tfgen.data.store import Say, Store
from tfgen.data.stored import Array

Pair = tuple[Array, np.ndarray | None]
"""Pictures and their labels, if they have some."""


def opened(
    request: Request, progress: Progress, say: Say, *, always: bool = False
) -> tuple[Contents, Callable[[str, int | None], Pair]]:
    """Returns what a data set holds, and what reads a split of it.

    Args:
        request: what is wanted.
        progress: passes pictures on while they are read.
        say: is told when another process is waited for.
        always: store small data sets, too.

    Returns:
        Its contents. A function of a split's name, and of how many pictures to draw at most or
        None, which returns these pictures and their labels.
    """
    kept = _store(request, progress, say, always) if request.is_stored else request.contents()
    if isinstance(kept, Contents):
        return kept, _into_memory(request, kept, progress)
    return kept.contents, _from_disk(kept)


def _store(request: Request, progress: Progress, say: Say, always: bool) -> Store | Contents:
    """Returns the store of a data set, or its contents where they are small."""
    place = request.place()
    if (place / store.FILE).exists():
        return Store(request, place, None, progress, say)
    found = request.contents()
    if store.is_small(found) and not always:
        return found
    # again, since TensorFlow Datasets may have prepared its files only now
    return Store(request, request.place(), found, progress, say)


def _into_memory(
    request: Request, found: Contents, progress: Progress
) -> Callable[[str, int | None], Pair]:
    def read(split: str, most: int | None) -> Pair:
        pictures = progress(found.splits[split])
        # drawn from the stream: pictures that are not taken are not kept in memory
        taken = pictures if most is None else splits.reservoir(pictures, most)
        sized = preprocess.prepared(request.name, taken, request.size, request.channels)
        return preprocess.stacked(request.name, sized)

    return read


def _from_disk(kept: Store) -> Callable[[str, int | None], Pair]:
    def read(split: str, most: int | None) -> Pair:
        image, label = kept.split(split)
        if most is None or most >= len(image):
            return image, label
        chosen = np.array(splits.reservoir(range(len(image)), most))
        return image.select(chosen), None if label is None else label[chosen]

    return read
