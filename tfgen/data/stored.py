"""Pictures in a file, mapped into memory: NumPy and TensorFlow read those rows that they touch."""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from tfgen import files

CHUNK_BYTES = 2**25
"""Bytes that are read at once where all pictures pass by."""

FACTS = "facts.json"
"""The file beside the pictures that keeps what was computed of them."""

Reader = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""Returns a tensor that holds pictures, and where in it those with some numbers are."""


@dataclasses.dataclass(frozen=True, eq=False)
class Stored:
    """Pictures in a file, or some of them, which NumPy takes for an array.

    The file holds the numbers alone, in C order. Pages of it that are in memory are shared by all
    processes, and the system takes them back when it needs them.

    Attributes:
        path: of the file.
        whole: shape of what the file holds.
        dtype: uint8 or float32.
        rows: the numbers of the pictures among those of the file, int64 [n]; None: all, in order.

    Example:
        ```python
        pictures = Stored(path, (1_000_000, 64, 64, 3), np.dtype(np.uint8))
        first = pictures[:8]  # an array; reads eight pictures
        some = pictures.select(np.arange(0, 1_000_000, 2))  # reads none
        ```
    """

    path: pathlib.Path
    whole: tuple[int, ...]
    dtype: np.dtype
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return self.whole[0] if self.rows is None else len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pictures together."""
        return (len(self), *self.whole[1:])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.whole)

    @property
    def folder(self) -> pathlib.Path:
        """The directory of the file."""
        return self.path.parent

    @property
    def nbytes(self) -> int:
        """Bytes of the pictures together."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __getitem__(self, key: Any) -> np.ndarray:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            return np.asarray(self)[key]
        chosen = first if self.rows is None else self.rows[first]
        return np.array(self._mapped[(chosen, *rest)])

    def __iter__(self) -> Iterator[np.ndarray]:
        for chunk in chunks(self):
            yield from chunk

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del copy  # it is a copy
        found = self[:]
        return found if dtype is None else found.astype(dtype)

    def select(self, index: np.ndarray) -> "Stored":
        """Returns the pictures with some numbers, of which none is read.

        Args:
            index: int [m].
        """
        rows = index if self.rows is None else self.rows[index]
        return dataclasses.replace(self, rows=np.asarray(rows, np.int64))

    def reader(self) -> Reader:
        """Returns what reads pictures inside of a graph.

        It is to be called where the graph runs, such as in a function that `tf.data` maps: a tensor
        from outside would be copied. The file is mapped again there.
        """
        rows = None if self.rows is None else tf.constant(self.rows)

        def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            held = _mapped_tensor(self.path, self.dtype, self.whole)
            return held, index if rows is None else tf.gather(rows, index)

        return read

    def remembered(self, what: str, compute: Callable[[], Any]) -> Any:
        """Returns what was computed of the pictures before, or computes and keeps it.

        Args:
            what: its name.
            compute: returns it, as JSON can hold it.
        """
        place = self.path.with_name(FACTS)
        key = f"{what} of {self.path.name}{self._chosen}"
        known = _read(place)
        if key not in known:
            known = _read(place) | {key: compute()}
            _write(place, known)
        return known[key]

    @property
    def _mapped(self) -> np.ndarray:
        return np.memmap(self.path, self.dtype, "r", shape=self.whole)

    @functools.cached_property
    def _chosen(self) -> str:
        """Says which pictures these are."""
        if self.rows is None:
            return ""
        return f", rows {hashlib.sha256(self.rows.astype('<i8').tobytes()).hexdigest()[:16]}"


def _mapped_tensor(path: pathlib.Path, dtype: np.dtype, shape: tuple[int, ...]) -> tf.Tensor:
    """Returns the numbers in a file, of which the graph reads those that it touches."""
    node = tf.compat.v1.NodeDef(name="pictures", op="ImmutableConst")
    node.attr["dtype"].type = tf.as_dtype(dtype).as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
    node.attr["memory_region_name"].s = os.fsencode(path)
    # TensorFlow evaluates operations without inputs when it builds a function: it would copy the
    # whole file. It leaves out operations that name scoped allocators; this one names none.
    node.attr["_scoped_allocator"].list.SetInParent()
    graph = tf.compat.v1.GraphDef(node=[node])
    (held,) = tf.graph_util.import_graph_def(graph, return_elements=["pictures:0"])
    return held


class Lazy(Protocol):
    """Pictures that are read where they are touched; see `Stored`."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pictures together."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def dtype(self) -> np.dtype:
        """Returns the data type of the numbers."""

    @property
    def nbytes(self) -> int:
        """Bytes of the pictures together."""

    @property
    def folder(self) -> pathlib.Path | None:
        """The directory that keeps the pictures; None where memory does."""

    def __getitem__(self, key: Any) -> np.ndarray: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray: ...

    def select(self, index: np.ndarray) -> "Lazy":
        """Returns the pictures with some numbers."""

    def reader(self) -> Reader:
        """Returns what reads pictures inside of a graph."""

    def remembered(self, what: str, compute: Callable[[], Any]) -> Any:
        """Returns what is computed of the pictures."""


Array = np.ndarray | Lazy
"""Pictures in memory, in a file, or clips of films."""


def chunks(image: Array) -> Iterator[np.ndarray]:
    """Yields pictures in order, some at a time, as many as take `CHUNK_BYTES`.

    Args:
        image: [n, ...].
    """
    step = max(1, CHUNK_BYTES * len(image) // max(1, image.nbytes))
    for start in range(0, len(image), step):
        yield image[start : start + step]


def select(image: Array, index: np.ndarray) -> Array:
    """Returns the pictures with some numbers; those in a file are not read.

    Args:
        image: [n, ...].
        index: int [m].
    """
    return image[index] if isinstance(image, np.ndarray) else image.select(index)


def reader(image: Array) -> Reader:
    """Returns what reads pictures inside of a graph; see `Stored.reader`."""
    if not isinstance(image, np.ndarray):
        return image.reader()
    held = tf.constant(image)
    return lambda index: (held, index)


def remembered(image: Array, what: str, compute: Callable[[], Any]) -> Any:
    """Returns what is computed of pictures; of those in a file it is computed once.

    Args:
        image: [n, ...].
        what: its name.
        compute: returns it, as JSON can hold it.
    """
    return compute() if isinstance(image, np.ndarray) else image.remembered(what, compute)


def _read(place: pathlib.Path) -> dict[str, Any]:
    try:
        return dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # none yet
        return {}


def _write(place: pathlib.Path, known: dict[str, Any]) -> None:
    try:
        with files.written_aside(place) as aside:
            aside.write_text(json.dumps(known), encoding="utf-8")
    except OSError:
        return  # a directory that may be read alone: it is computed each time
