"""The files of a folder or an archive as data sets see them: names, sizes, what is hidden."""

import pathlib
import unicodedata
import zipfile
from collections.abc import Sequence
from typing import NamedTuple

from tfgen.errors import UserError

MOST_BYTES = 2**29
"""A larger file is refused before it is read: no picture needs half a gigabyte."""

SYSTEM_NAMES = frozenset(
    {
        "__macosx",
        "@eadir",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "desktop.ini",
        "icon\r",
        "__pycache__",
    }
)
"""Names, in lower case, that systems and programs add to folders of pictures."""

HIDDEN_FILE, HIDDEN_FOLDER = "hidden file", "hidden folder"
BROKEN_LINK, CYCLIC_LINK = "broken link", "cyclic link"
NO_FILE = "special file"
"""Why something was left out: it is a pipe, a socket or a device."""


MOST_NAMED = 10
"""Files or folders that a complaint names."""


class Entry(NamedTuple):
    """A file of a folder or an archive."""

    path: pathlib.PurePosixPath
    """Within the folder or archive, with slashes, in Unicode's composed form (NFC)."""
    size: int
    """In bytes."""
    place: pathlib.Path
    """Of the file, or of the archive that it is a member of."""
    member: zipfile.ZipInfo | None = None

    @property
    def shown(self) -> pathlib.PurePath:
        """Returns the path that complaints give."""
        return self.place if self.member is None else self.place / self.member.filename


def is_hidden(name: str) -> bool:
    """Tells whether a file or folder is hidden, or a system's or program's own, by its name."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def composed(name: str) -> str:
    """Returns a name in Unicode's composed form, so that its two spellings are one."""
    return unicodedata.normalize("NFC", name)


def shown_of(names: Sequence[str]) -> str:
    """Returns the first names of a list, as a complaint gives them."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def check_size(name: str, path: pathlib.PurePath, size: int) -> None:
    """Raises UserError if a file is too large to be a picture."""
    if size > MOST_BYTES:
        raise UserError(
            f"dataset {name}: expected files of at most {MOST_BYTES // 2**20} MiB and found "
            f"{path}, which is larger"
        )
