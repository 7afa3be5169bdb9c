"""Prepared data: pictures that were decoded and resized once, in files that are mapped into memory.

A store is a directory under `prepared/` of the data directory. It holds, for each split that was
asked for, `SPLIT.raw` (the numbers of all pictures in C order) and `SPLIT.labels.npy`, and
`store.json`, which says what they are. A store is never changed: other options, and files that
changed, have stores of their own. Bytes stay bytes; other numbers are float32, since float16 would
round them.
"""

import contextlib
import fcntl
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tfgen import files
from tfgen.data import preprocess
from tfgen.data.contents import Contents, Pictures
from tfgen.data.partial import Partial
from tfgen.data.preprocess import Progress
from tfgen.data.request import Request
from tfgen.data.stored import Stored
from tfgen.errors import UserError
from tfgen.version import __version__

FILE, LISTING = "store.json", "files.json"

SMALL_BYTES, SMALL_COUNT = 2**24, 1000
"""A data set of at most so many bytes and so many pictures is read into memory at each start."""

FACTS = ("class_names", "sizes", "left_out", "bytes")
"""What a store keeps of the source's contents, and their sizes by name in a file of their own."""

Say = Callable[[str], None]


def is_small(found: Contents) -> bool:
    """Tells whether a data set is read into memory at each start."""
    return found.bytes <= SMALL_BYTES and sum(found.sizes.values()) <= SMALL_COUNT


class Store:
    """The prepared pictures of a data set, some of whose splits may not be prepared yet.

    Args:
        request: what is wanted.
        place: its directory.
        found: what the source holds; None reads that from the store.
        progress: passes pictures on while they are prepared.
        say: is told when another process is waited for.

    Attributes:
        contents: what the source holds, without its pictures where the store says it.
    """

    def __init__(
        self,
        request: Request,
        place: pathlib.Path,
        found: Contents | None,
        progress: Progress,
        say: Say,
    ):
        self.request, self.place, self.progress, self.say = request, place, progress, say
        self._found = found
        self.contents = found or self._remembered_contents()

    def split(self, name: str) -> tuple[Stored, np.ndarray | None]:
        """Returns the pictures of a split and their labels, and prepares them if need be.

        Args:
            name: of the split.

        Raises:
            UserError: if the store is damaged, or a picture cannot be read.
        """
        if name not in self._description()["splits"]:
            with self._locked():
                # another process may have prepared it
                if name not in self._description()["splits"]:
                    self._prepare(name)
        return self._opened(name, self._description()["splits"][name])

    def _prepare(self, name: str) -> None:
        found = self._found or self.request.contents()
        description = self._description()
        _recall(found, description)
        partial = Partial(self.place, name, found.sizes.get(name))
        _recall(found, partial.noted)
        with contextlib.closing(partial):
            self._fill(partial, found)
            if not partial.rows:
                raise UserError(f"dataset {self.request.name}: expected pictures and found none")
            partial.note(_evidence(found))
            entry = partial.finish()
        description["splits"][name] = entry
        description |= {field: vars(found)[field] for field in FACTS}
        description |= {"of": list(found.splits), "options": self.request.facts()}
        description |= _evidence(found)
        self.contents.notes[:] = found.notes
        self._write(LISTING, found.files)
        self._write(FILE, description)
        partial.clean()

    def _fill(self, partial: Partial, found: Contents) -> None:
        """Reads the pictures that are not there yet."""
        coming = found.since(partial.split, partial.rows)
        if partial.expected is not None:
            coming = _Counted(coming, partial.expected - partial.rows)
        name, size, channels = self.request.name, self.request.size, self.request.channels
        for image, label in preprocess.prepared(name, self.progress(coming), size, channels):
            partial.note(_evidence(found))
            partial.append(image, label)

    def _write(self, file: str, content: Any) -> None:
        with files.written_aside(self.place / file) as aside:
            aside.write_text(json.dumps(content, default=dict, indent=1), encoding="utf-8")

    def _opened(self, name: str, entry: dict[str, Any]) -> tuple[Stored, np.ndarray | None]:
        path = self.place / f"{name}.raw"
        found = Stored(path, tuple(entry["shape"]), np.dtype(entry["dtype"]))
        size = path.stat().st_size if path.exists() else 0
        if size != found.nbytes:
            raise UserError(
                f"dataset {self.request.name}: expected {found.nbytes:,} bytes of prepared "
                f"pictures and found {size:,} in {path}; remove {self.place} to prepare them anew"
            )
        labels = np.load(self.place / f"{name}.labels.npy") if entry["labelled"] else None
        return found, labels

    def _description(self) -> dict[str, Any]:
        if not (self.place / FILE).exists():
            return {"version": __version__, "splits": {}}
        return self._read(FILE)

    def _read(self, file: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.place / file).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise UserError(
                f"dataset {self.request.name}: expected {self.place / file} to be whole and could "
                f"not read it; remove {self.place} to prepare the data anew"
            ) from error

    def _remembered_contents(self) -> Contents:
        known = self._description()
        facts = {field: known[field] for field in FACTS}
        names = known["class_names"]
        facts["class_names"] = None if names is None else tuple(names)
        facts["notes"] = list(known["notes"])
        return Contents(dict.fromkeys(known["of"], ()), files=self._read(LISTING), **facts)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Lets one process at a time prepare; the others wait, and say so."""
        self.place.mkdir(parents=True, exist_ok=True)
        with (self.place / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say(f"another process prepares {self.request.name}; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _evidence(found: Contents) -> dict[str, Any]:
    """Returns what was evident of pictures so far, as JSON can hold it."""
    evident = {str(white): str(path) for white, path in found.evident.copy().items()}
    return {"notes": list(found.notes), "evident": evident}


def _recall(found: Contents, known: dict[str, Any]) -> None:
    """Lets what was evident of earlier pictures count for those to come."""
    for white, path in known.get("evident", {}).items():
        found.evident.setdefault(int(white), pathlib.PurePath(path))
    found.notes.extend(note for note in known.get("notes", []) if note not in found.notes)


class _Counted:
    """Pictures of which a bar can ask how many there will be."""

    def __init__(self, pictures: Pictures, count: int):
        self.pictures, self.count = pictures, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return iter(self.pictures)
