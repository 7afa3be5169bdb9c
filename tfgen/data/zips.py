"""Members of .zip archives, whatever system packed them."""

import collections
import contextlib
import pathlib
import stat
import zipfile
import zlib
from collections.abc import Iterator

from tfgen.data import entries
from tfgen.data.entries import Entry
from tfgen.errors import UserError

SUFFIX = ".zip"


def is_archive(path: pathlib.Path) -> bool:
    """Tells whether a path has the suffix of an archive, in upper or lower case."""
    return path.suffix.lower() == SUFFIX


class Archive:
    """A .zip archive that is open; whatever is wrong with it is answered with one sentence."""

    def __init__(self, name: str, path: pathlib.Path):
        self.name, self.path = name, path

    def __enter__(self) -> "Archive":
        try:
            self.file = zipfile.ZipFile(self.path)
        # ValueError, NotImplementedError: a directory of the archive that makes no sense
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._refusal() from error
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def members(self) -> list[zipfile.ZipInfo]:
        """Returns what the archive says of its members."""
        return self.file.infolist()

    def read(self, entry: Entry, member: zipfile.ZipInfo) -> bytes:
        """Returns the content of a member."""
        entries.check_size(self.name, entry.shown, entry.size)
        try:
            with self.file.open(member) as opened:
                found = opened.read(entries.MOST_BYTES + 1)  # the archive may understate a size
        # zlib's error, EOFError: a damaged member; RuntimeError: one with a password, or packed in
        # a way that zipfile does not know (NotImplementedError)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise self._refusal() from error
        entries.check_size(self.name, entry.shown, len(found))
        return found

    def _refusal(self) -> UserError:
        return UserError(
            f"dataset {self.name}: expected a .zip archive and could not read {self.path}"
        )


def members(name: str, path: pathlib.Path, left_out: collections.Counter[str]) -> Iterator[Entry]:
    """Yields the members of an archive that are files."""
    hidden_folders = set()
    with Archive(name, path) as archive:
        for info in archive.members():
            slashed = _member_name(info)
            if slashed.endswith("/"):
                continue
            inside = pathlib.PurePosixPath(entries.composed(slashed.lstrip("/")))
            hidden = [number for number, part in enumerate(inside.parts) if entries.is_hidden(part)]
            if hidden and hidden[0] < len(inside.parts) - 1:
                hidden_folders.add(inside.parts[: hidden[0] + 1])
            elif hidden:
                left_out[entries.HIDDEN_FILE] += 1
            elif stat.S_ISLNK(info.external_attr >> 16):
                left_out[entries.BROKEN_LINK] += 1
            else:
                yield Entry(inside, info.file_size, path, info)
    if hidden_folders:
        left_out[entries.HIDDEN_FOLDER] += len(hidden_folders)


def _member_name(info: zipfile.ZipInfo) -> str:
    """Returns a member's path with slashes, whatever system packed it."""
    found = info.filename
    utf_8 = info.flag_bits & 0x800
    if not utf_8 and not found.isascii():
        # macOS writes UTF-8 without saying so
        with contextlib.suppress(UnicodeError):
            found = found.encode("cp437").decode("utf-8")
    return found.replace("\\", "/")
