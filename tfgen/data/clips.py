"""Clips of films: runs of frames, cut from films that are kept as frames one after the other."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tfgen.data import splits, stored
from tfgen.data.contents import ALL
from tfgen.data.request import Request
from tfgen.data.splits import Parts
from tfgen.errors import UserError

if TYPE_CHECKING:
    from tfgen.data.examples import Examples


@dataclasses.dataclass(frozen=True, eq=False)
class Clips:
    """Clips that NumPy takes for an array [n, t, h, w, c]; their frames are kept once.

    Attributes:
        frames: of all films, [m, h, w, c].
        starts: the number of each clip's first frame, int64 [n].
        length: t, frames of a clip.
    """

    frames: stored.Array
    starts: np.ndarray
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the clips together."""
        return (len(self), self.length, *self.frames.shape[1:])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """Returns the data type of the numbers."""
        return self.frames.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the clips together, if each had frames of its own."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def folder(self) -> pathlib.Path | None:
        """The directory that keeps the frames; None where memory does."""
        return None if isinstance(self.frames, np.ndarray) else self.frames.folder

    def __getitem__(self, key: Any) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            return np.asarray(self)[key]
        start = self.starts[first]
        found = self.frames[start[..., np.newaxis] + np.arange(self.length)]
        return found[(*[slice(None)] * np.ndim(start), *rest)]

    def __iter__(self) -> Iterator[np.ndarray]:
        for chunk in stored.chunks(self):
            yield from chunk

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del copy  # it is a copy
        found = self[:]
        return found if dtype is None else found.astype(dtype)

    def select(self, index: np.ndarray) -> "Clips":
        """Returns the clips with some numbers, int [k], of which none is read."""
        return dataclasses.replace(self, starts=self.starts[index])

    def reader(self) -> stored.Reader:
        """Returns what reads clips inside of a graph; see `Stored.reader`."""
        read = stored.reader(self.frames)
        starts, within = tf.constant(self.starts), tf.range(self.length, dtype=tf.int64)
        return lambda index: read(tf.gather(starts, index)[:, tf.newaxis] + within)

    def remembered(self, what: str, compute: Callable[[], Any]) -> Any:
        """Returns what is computed of the clips; of frames in a file it is computed once."""
        chosen = hashlib.sha256(self.starts.astype("<i8").tobytes()).hexdigest()[:16]
        key = f"{what}, clips of {self.length} at {chosen}"
        return stored.remembered(self.frames, key, compute)


def check(request: Request, stride: int, **others: Any) -> None:
    """Raises UserError unless clips can be cut from a data set.

    Args:
        request: what is asked for.
        stride: frames from the start of a clip to that of the next.
        others: options by name that films do not take.
    """
    if not request.name.startswith("video:"):
        raise UserError(f"clip_length: expected films, video:PATH, and found {request.name}")
    if stride < 1:
        raise UserError(f"clip_stride: expected at least 1 and found {stride}")
    for name, value in others.items():
        if value:
            raise UserError(f"{name}: expected none for the clips of {request.name}, found {value}")


def divide(
    read: splits.Read, *, length: int, stride: int, most: int | None, fraction: float
) -> Parts:
    """Returns the clips to train on and those held out: the end of each film.

    No frame belongs to both.

    Args:
        read: reads the frames of a split, labelled with the numbers of their films.
        length: frames of a clip.
        stride: frames from the start of a clip to that of the next.
        most: take at most so many training clips, at random.
        fraction: share of each film that is held out, in [0, 1); one clip at least.

    Raises:
        UserError: if a film is too short.
    """
    frames = read(ALL, None)
    film = frames.label
    if film is None:
        raise ValueError("Expected frames with the numbers of their films. Received: none")
    first = np.flatnonzero(np.diff(film, prepend=-1))
    train, test = [], []
    for start, end in zip(first, [*first[1:], len(film)], strict=True):
        middle = _middle(int(end - start), length, fraction) + start
        train.append(np.arange(start, middle - length + 1, stride))
        test.append(np.arange(middle, end - length + 1, stride))
    chosen = splits.reservoir(np.concatenate(train), most) if most else np.concatenate(train)
    learned = _examples(frames, np.sort(chosen), length)
    if not fraction:
        return Parts(learned, learned, f"{splits.SAME}, since test_fraction is 0", (ALL,))
    return Parts(learned, _examples(frames, np.concatenate(test), length), splits.END, (ALL,))


def _middle(total: int, length: int, fraction: float) -> int:
    """Returns the number of frames of a film that are trained on."""
    aside = max(length, round(total * fraction)) if fraction else 0
    if total - aside < length:
        raise UserError(
            f"clip_length: expected films of at least {length + aside} frames, of which {aside} "
            f"are held out, and found one of {total}"
        )
    return total - aside


def _examples(frames: "Examples", starts: np.ndarray, length: int) -> "Examples":
    clips = Clips(frames.image, starts.astype(np.int64), length)
    return dataclasses.replace(frames, image=clips, label=None)
