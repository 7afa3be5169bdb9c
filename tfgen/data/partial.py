"""A split that is being prepared: what is on the disk of it, so that a kill loses little."""

import hashlib
import json
import os
import pathlib
import shutil
import time
from typing import IO, Any

import numpy as np

from tfgen import files
from tfgen.errors import UserError

SYNC_BYTES = 2**26
"""Bytes after which pictures are forced to the disk and noted in the journal."""

SYNC_SECONDS = 5.0
"""Seconds after which they are."""

NO_LABEL = -1


class Partial:
    """The pictures of a split that are written one by one.

    Args:
        folder: of the store.
        split: its name.
        expected: how many pictures come in all, or None where that is not known.

    Attributes:
        rows: how many pictures there are; those of before a kill are counted.
        noted: what `note` was given before a kill.
    """

    def __init__(self, folder: pathlib.Path, split: str, expected: int | None = None):
        self.folder, self.split, self.expected = folder, split, expected
        self._journal = folder / f"{split}.journal"
        self._raw = folder / f"{split}.raw.partial"
        self._labels = folder / f"{split}.labels.partial"
        self.noted: dict[str, Any] = {}
        self.rows, self._shape, self._dtype = self._before()
        self._image_file = self._opened(self._raw, self.rows * self._picture_bytes)
        self._label_file = self._opened(self._labels, self.rows * 8)
        self._durable, self._time = self.rows, time.monotonic()
        self._checksum = hashlib.sha256()
        with self._raw.open("rb") as written:
            while content := written.read(2**24):
                self._checksum.update(content)

    def note(self, known: dict[str, Any]) -> None:
        """Keeps what is known of the pictures, besides themselves, in the journal.

        Args:
            known: as JSON can hold it.
        """
        self.noted = known

    def append(self, image: np.ndarray, label: int | None) -> None:
        """Adds a picture.

        Args:
            image: of the same shape and type as those before.
            label: or None.

        Raises:
            UserError: if the disk has not enough room for all.
        """
        if not self._shape:
            self._shape, self._dtype = image.shape, image.dtype
            self._check_room()
        content = np.ascontiguousarray(image).data
        self._image_file.write(content)
        self._checksum.update(content)
        self._label_file.write(np.array(NO_LABEL if label is None else label, "<i8").tobytes())
        self.rows += 1
        waiting = (self.rows - self._durable) * self._picture_bytes
        if waiting >= SYNC_BYTES or time.monotonic() - self._time >= SYNC_SECONDS:
            self._sync()

    def finish(self) -> dict[str, Any]:
        """Moves the files to their names, and returns what the store says of the split."""
        self._sync()
        self.close()
        label = np.fromfile(self._labels, "<i8")
        labelled = bool((label != NO_LABEL).all())  # a split of which some have none has none
        if labelled:
            with files.written_aside(self.folder / f"{self.split}.labels.npy") as aside:
                np.save(aside, label)
        self._raw.replace(self.folder / f"{self.split}.raw")
        files.flush(self.folder)
        shape = [self.rows, *self._shape]
        return {
            "shape": shape,
            "dtype": self._dtype.name,
            "labelled": labelled,
            "sha256": self._checksum.hexdigest(),
        }

    def clean(self) -> None:
        """Removes what is no longer needed when the store knows the split."""
        self._journal.unlink(missing_ok=True)
        self._labels.unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the files; what is not in the journal is written again."""
        self._image_file.close()
        self._label_file.close()

    @property
    def _picture_bytes(self) -> int:
        return int(np.prod(self._shape, dtype=np.int64)) * self._dtype.itemsize

    def _before(self) -> tuple[int, tuple[int, ...], np.dtype]:
        """Returns what the journal says, if the files hold it."""
        nothing: tuple[int, tuple[int, ...], np.dtype] = (0, (), np.dtype(np.uint8))
        try:
            found = json.loads(self._journal.read_text(encoding="utf-8"))
            rows, shape, dtype = found["rows"], tuple(found["shape"]), np.dtype(found["dtype"])
            noted = dict(found["noted"])
            size = rows * int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
            whole = self._raw.stat().st_size >= size and self._labels.stat().st_size >= 8 * rows
        except (OSError, ValueError, KeyError, TypeError):
            return nothing
        if not whole:
            return nothing
        self.noted = noted
        return rows, shape, dtype

    def _opened(self, path: pathlib.Path, size: int) -> IO[bytes]:
        """Opens a file to go on after some bytes."""
        path.touch()
        file = path.open("r+b")
        file.truncate(size)
        file.seek(size)
        return file

    def _sync(self) -> None:
        for file in (self._image_file, self._label_file):
            file.flush()
            os.fsync(file.fileno())
        found = {"rows": self.rows, "shape": self._shape, "dtype": self._dtype.name}
        with files.written_aside(self._journal) as aside:
            aside.write_text(json.dumps(found | {"noted": self.noted}), encoding="utf-8")
        self._durable, self._time = self.rows, time.monotonic()

    def _check_room(self) -> None:
        needed = (self.expected or 0) * (self._picture_bytes + 8)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise UserError(
                f"data_dir: expected {needed / 2**30:,.1f} GiB of room for prepared pictures in "
                f"{self.folder} and found {free / 2**30:,.1f}; choose another, a smaller "
                "image_size or max_images"
            )
