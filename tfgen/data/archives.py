"""Files under a folder or in a .zip archive: what there is, and the contents one at a time.

Hidden and system files are left out and counted. Links are followed, but for those that lead back
to a folder that they lie in.
"""

import collections
import contextlib
import os
import pathlib
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tfgen.data import entries as known
from tfgen.data import zips
from tfgen.data.entries import Entry
from tfgen.errors import UserError


class Listing(NamedTuple):
    """The files of a folder or an archive, in the order of their paths."""

    entries: list[Entry]
    left_out: dict[str, int]
    """How many files, folders and links were left out, by the reason."""


def listing(name: str, path: pathlib.Path) -> Listing:
    """Lists the files under a folder, in a .zip archive, or the one file that a path names.

    Args:
        name: of the data set, for complaints.
        path: of a folder, an archive, a folder in an archive (`pets.zip/cats`) or another file.

    Raises:
        UserError: if a folder or the archive cannot be read, or the archive has no such folder.
    """
    left_out: collections.Counter[str] = collections.Counter()
    archive = archive_of(path)
    if path.is_dir():
        found = list(_walk(name, path, left_out))
    elif zips.is_archive(archive):
        found = list(_members(name, archive, path, left_out))
    else:
        found = [single(name, path)]
    in_order = sorted(found, key=lambda entry: (entry.path.parts, str(entry.place)))
    return Listing(in_order, dict(left_out))


def single(name: str, path: pathlib.Path) -> Entry:
    """Returns the entry of one file.

    Args:
        name: of the data set, for complaints.
        path: of the file.

    Raises:
        UserError: if it is no file.
    """
    return Entry(pathlib.PurePosixPath(known.composed(path.name)), _size(name, path), path)


def contents(name: str, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
    """Yields files with their contents, of which one at a time is held.

    Args:
        name: of the data set, for complaints.
        entries: of the listing of a folder, an archive or a file.

    Raises:
        UserError: if a file or the archive cannot be read, or a file is too large.
    """
    with contextlib.ExitStack() as stack:
        archive: zips.Archive | None = None
        for entry in entries:
            if entry.member is None:
                yield entry, content(name, entry.place)
                continue
            archive = archive or stack.enter_context(zips.Archive(name, entry.place))
            yield entry, archive.read(entry, entry.member)


def content(name: str, path: pathlib.Path) -> bytes:
    """Returns the content of a file.

    Raises:
        UserError: if it cannot be read, or is too large.
    """
    known.check_size(name, path, _size(name, path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"dataset {name}: expected a file and could not read {path}") from error


def archive_of(path: pathlib.Path) -> pathlib.Path:
    """Returns the .zip archive that a path leads into, or the path itself if there is none."""
    for parent in path.parents:
        if zips.is_archive(parent) and parent.is_file():
            return parent
    return path


def _members(
    name: str, archive: pathlib.Path, path: pathlib.Path, left_out: collections.Counter[str]
) -> Iterator[Entry]:
    """Yields the files of an archive that lie in the folder that a path through it names."""
    folder = pathlib.PurePosixPath(path.relative_to(archive))
    within: collections.Counter[str] = collections.Counter()
    found = list(zips.members(name, archive, within))
    if folder == pathlib.PurePosixPath():
        left_out.update(within)
        yield from found
        return
    inside = [entry for entry in found if folder in entry.path.parents]
    if not inside:
        folders = known.shown_of(sorted({f"{entry.path.parent}/" for entry in found}))
        raise UserError(
            f"dataset {name}: expected the archive to hold {folder}/ and found {folders}"
        )
    yield from (entry._replace(path=entry.path.relative_to(folder)) for entry in inside)


def _walk(name: str, root: pathlib.Path, left_out: collections.Counter[str]) -> Iterator[Entry]:
    """Yields the files under a folder, those of linked folders too."""
    start: tuple[tuple[int, int], ...] = (_identity(root.stat()),)
    waiting = [(root, pathlib.PurePosixPath(), start)]
    while waiting:
        folder, inside, above = waiting.pop()
        for item in _items(name, folder):
            if known.is_hidden(item.name):
                left_out[known.HIDDEN_FOLDER if item.is_dir() else known.HIDDEN_FILE] += 1
                continue
            status = _status(name, item)
            path = inside / known.composed(item.name)
            if status is None:
                left_out[known.BROKEN_LINK] += 1
            elif stat.S_ISREG(status.st_mode):
                yield Entry(path, status.st_size, pathlib.Path(item.path))
            elif not stat.S_ISDIR(status.st_mode):
                left_out[known.NO_FILE] += 1
            elif _identity(status) in above:
                left_out[known.CYCLIC_LINK] += 1
            else:
                waiting.append((pathlib.Path(item.path), path, (*above, _identity(status))))


def _items(name: str, folder: pathlib.Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as error:
        raise UserError(
            f"dataset {name}: expected folders that may be read and could not open {folder} "
            f"({error.strerror}); change its permissions, or move it away"
        ) from error


def _status(name: str, item: os.DirEntry[str]) -> os.stat_result | None:
    """Returns the status of what an item is or links to; None for a link that leads nowhere."""
    try:
        return item.stat()
    except OSError as error:
        if item.is_symlink():
            return None
        raise UserError(
            f"dataset {name}: expected files that may be read and could not look at {item.path} "
            f"({error.strerror})"
        ) from error


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _size(name: str, path: pathlib.Path) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(f"dataset {name}: expected a file and could not read {path}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"dataset {name}: expected a file and found {path}, which is none")
    return status.st_size
