"""Files under a folder or in a .zip archive: names and contents, in one order for both."""

import pathlib
import zipfile
import zlib
from collections.abc import Iterator

from tfgen.errors import UserError


def files(name: str, path: pathlib.Path) -> Iterator[tuple[pathlib.PurePath, bytes]]:
    """Yields the files under a folder, in a .zip archive, or the one file that a path names.

    Args:
        name: of the data set, for complaints.
        path: of a folder, an archive or another file.

    Yields:
        The path within the folder or archive, and the content; in the order of these paths.

    Raises:
        UserError: if a file or the archive cannot be read.
    """
    if path.is_dir():
        for file in sorted(f for f in path.rglob("*") if f.is_file()):
            yield file.relative_to(path), content(name, file)
    elif path.suffix == ".zip":
        yield from _members(name, path)
    else:
        yield pathlib.PurePath(path.name), content(name, path)


def _members(name: str, path: pathlib.Path) -> Iterator[tuple[pathlib.PurePath, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/")]
            # by the parts of a path, as the files of a folder are sorted
            for member in sorted(members, key=pathlib.PurePosixPath):
                yield pathlib.PurePosixPath(member), archive.read(member)
    # zlib's error: a damaged member; RuntimeError: one with a password
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise UserError(
            f"dataset {name}: expected a .zip archive and could not read {path}"
        ) from error


def content(name: str, path: pathlib.Path) -> bytes:
    """Returns the content of a file.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"dataset {name}: expected a file and could not read {path}") from error


def archive_of(path: pathlib.Path) -> pathlib.Path:
    """Returns the .zip archive that a path leads into, or the path itself if there is none."""
    for parent in path.parents:
        if parent.suffix == ".zip" and parent.is_file():
            return parent
    return path
