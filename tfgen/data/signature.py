"""Tells whether the files of a data set are those of before, without reading them."""

import hashlib
import importlib.metadata
import os
import pathlib
import stat
from collections.abc import Iterator

from tfgen.data import entries

INFO = "dataset_info.json"
"""The file that TensorFlow Datasets writes when a data set is prepared."""


def of_path(path: pathlib.Path) -> str:
    """Returns a checksum of the names, sizes and times of the files at a path.

    Hidden and system files do not count.

    Args:
        path: of a folder or a file.
    """
    return _digest(_files(str(path), "", ()))


def of_tfds(name: str, data_dir: str | None) -> str:
    """Returns a checksum of what TensorFlow Datasets prepared of a data set.

    Args:
        name: of the data set, with its configuration and version, if any.
        data_dir: where it lies; None: in TensorFlow Datasets' own place.
    """
    own = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    place = pathlib.Path(data_dir or own).expanduser() / name.partition("/")[0].partition(":")[0]
    found = [importlib.metadata.version("tensorflow-datasets")]
    for info in sorted(place.rglob(INFO)):
        found += _files(str(info), str(info), ())
    return _digest(iter(found))


def _digest(lines: Iterator[str]) -> str:
    text = "\n".join(sorted(lines))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _files(path: str, inside: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yields a line for each file: a plain walk, since a folder may hold millions."""
    try:
        status = os.stat(path)  # noqa: PTH116  strings are quicker than paths
    except OSError:
        yield f"{inside} cannot be read"
        return
    identity = (status.st_dev, status.st_ino)
    if not stat.S_ISDIR(status.st_mode):
        yield f"{inside} {status.st_size} {status.st_mtime_ns}"
    elif identity not in above:
        yield from _folder(path, inside, (*above, identity))


def _folder(path: str, inside: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    try:
        with os.scandir(path) as found:
            items = [item for item in found if not entries.is_hidden(item.name)]
    except OSError:
        yield f"{inside} cannot be opened"
        return
    for item in items:
        yield from _files(item.path, f"{inside}/{item.name}", above)
