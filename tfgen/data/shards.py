"""Parts of a data set that are prepared apart, by workers on many machines, and put together."""

import contextlib
import dataclasses
import functools
import itertools
import json
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from tfgen import files
from tfgen.data import arrays, deep, preprocess
from tfgen.data.contents import Contents
from tfgen.data.request import Request
from tfgen.errors import UserError

COUNT = 256
"""Pictures of a shard, which are in the worker's memory at once."""

KIND = "folder:"
"""How the names of data sets begin whose pictures can be read apart."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """Some pictures of a split.

    Attributes:
        request: the data set, which all workers must see under the same path.
        folder: where shards are written.
        split: the name of the split.
        start: the number of the first picture.
        stop: the number after the last.
    """

    request: Request
    folder: pathlib.Path
    split: str
    start: int
    stop: int

    @property
    def path(self) -> pathlib.Path:
        """The file of its pictures; it is whole if it is there."""
        return self.folder / f"{self.split}-{self.start:012}.npz"

    @property
    def failure(self) -> pathlib.Path:
        """The file that says why there are none."""
        return self.path.with_suffix(".error")

    def write(self) -> None:
        """Prepares the pictures, or writes why that cannot be done."""
        if self.path.exists():
            return
        try:
            self._write()
        except UserError as error:
            self.failure.parent.mkdir(parents=True, exist_ok=True)
            self.failure.write_text(str(error), encoding="utf-8")

    def _write(self) -> None:
        name, found = self.request.name, _contents(self.request)
        # a folder's, which can be read from any picture on, again and again
        coming = found.later(self.split, self.start) if found.later else ()
        pictures = itertools.islice(coming, self.stop - self.start)
        sized = preprocess.prepared(name, pictures, self.request.size, self.request.channels)
        image, label = preprocess.stacked(name, sized)
        known = {"evident": {str(w): str(p) for w, p in found.evident.items()}}
        text = np.array(json.dumps(known | {"notes": found.notes}))
        given = np.array([], np.int64) if label is None else label
        with files.written_aside(self.path) as aside:
            np.savez(aside, image=image, label=given, known=text)

    def pictures(self, found: Contents) -> Iterator[tuple[np.ndarray, int | None]]:
        """Yields the pictures with their labels.

        Args:
            found: the contents that get to know what was evident of them.

        Raises:
            UserError: if the pictures have another depth than those before.
        """
        with np.load(self.path) as archive:
            image, known = archive["image"], json.loads(str(archive["known"]))
            label = archive["label"]
        for white, path in known["evident"].items():
            found.evident.setdefault(int(white), pathlib.PurePath(path))
        deep.check_one_depth(f"dataset {self.request.name}", found.evident)
        found.notes.extend(note for note in known["notes"] if note not in found.notes)
        for number, picture in enumerate(image):
            yield picture, int(label[number]) if len(label) else None


def planned(request: Request, found: Contents, folder: pathlib.Path) -> list[Shard]:
    """Returns the shards of a data set.

    Args:
        request: what is wanted.
        found: what its source holds.
        folder: where shards are written.

    Raises:
        UserError: if the pictures of the source cannot be read apart.
    """
    if not request.name.startswith(KIND):
        raise UserError(
            f"--runner: expected a data set {KIND}PATH, whose pictures can be read apart, and "
            f"found {request.name}; leave --runner out"
        )
    return [
        Shard(request, folder, split, start, min(start + COUNT, size))
        for split, size in found.sizes.items()
        for start in range(0, size, COUNT)
    ]


def gathered(found: Contents, shards: Sequence[Shard]) -> Contents:
    """Returns a data set with the pictures of shards in the place of its files.

    Args:
        found: what the source holds.
        shards: all of its; they are written.

    Raises:
        UserError: if one of them could not be written.
    """
    for shard in shards:
        if not shard.path.exists():
            raise UserError(_reason(shard))

    def later(split: str, start: int) -> Iterator[tuple[np.ndarray, int | None]]:
        own = [shard for shard in shards if shard.split == split and shard.stop > start]
        pictures = itertools.chain.from_iterable(shard.pictures(found) for shard in own)
        rest = itertools.islice(pictures, start - own[0].start if own else 0, None)
        request = shards[0].request
        if request.stated.value_range is not None:
            return rest
        # workers judge no numbers together
        return arrays.checked(f"dataset {request.name}", rest)

    splits = {split: later(split, 0) for split in found.splits}
    return dataclasses.replace(found, splits=splits, later=later)


def _reason(shard: Shard) -> str:
    with contextlib.suppress(OSError):
        return shard.failure.read_text(encoding="utf-8")
    return (
        f"--runner: expected {shard.path} and found none; workers must see the pictures and the "
        "prepared data under the same paths as this process"
    )


@functools.lru_cache(maxsize=1)
def _contents(request: Request) -> Contents:
    """Returns what a data set holds; a worker lists its files once."""
    return request.contents()
