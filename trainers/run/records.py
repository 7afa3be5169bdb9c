"""What a checkpoint says of itself: its variables, its files, and the run that it belongs to."""

import dataclasses
import hashlib
import json
import pathlib
import zlib
from collections.abc import Mapping
from typing import Any

from tfgen.errors import UserError
from tfgen.version import __version__

NAME = "record.json"
FORMAT = 1
"""Number of the layout of a checkpoint's record and state."""

BLOCK = 2**20


class DamagedError(UserError):
    """A checkpoint whose files are not what was written."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stamp:
    """The run that a checkpoint belongs to.

    Attributes:
        flags: hash of the flags that a run cannot change.
        data: hash of what the nets know of the data.
        rollbacks: how often the guard had rolled the run back.
        passing: whether it was written between two logging intervals because the run was stopped;
            the next one takes its place.
    """

    flags: str = ""
    data: str = ""
    rollbacks: int = 0
    passing: bool = False


def hash_of(content: Any) -> str:
    """Returns a hash of plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def write(path: pathlib.Path, step: int, variables: Mapping[str, list], stamp: Stamp) -> None:
    """Writes the record of a checkpoint whose other files are written.

    Args:
        path: the checkpoint's directory.
        step: the updates made.
        variables: data type and shape, by name.
        stamp: of the run.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "tfgen": __version__,
        "step": step,
        "stamp": dataclasses.asdict(stamp),
        "variables": dict(variables),
        "files": {
            str(file.relative_to(path)): _described(file)
            for file in sorted(path.rglob("*"))
            if file.is_file()
        },
    }
    content["hash"] = hash_of(content)
    (path / NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(path: pathlib.Path) -> dict[str, Any]:
    """Returns the record of a checkpoint.

    Raises:
        DamagedError: if it is missing, or is not what was written.
        UserError: if it has another format.
    """
    try:
        content = json.loads((path / NAME).read_text(encoding="utf-8"))
        given = content.pop("hash")
    except FileNotFoundError:
        raise DamagedError(f"{path}: {NAME} is missing") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise DamagedError(f"{path}: {NAME} is damaged") from None
    if given != hash_of(content):
        raise DamagedError(f"{path}: {NAME} is damaged")
    if content["format"] != FORMAT:
        raise UserError(
            f"{path}: expected a checkpoint of format {FORMAT} and found format "
            f"{content['format']}, written by tfgen {content['tfgen']}"
        )
    return content


def stamp_of(path: pathlib.Path) -> Stamp | None:
    """Returns the stamp of a checkpoint; None where its record cannot be read."""
    try:
        return Stamp(**read(path)["stamp"])
    except UserError:
        return None


def check(path: pathlib.Path) -> dict[str, Any]:
    """Returns the record of a checkpoint all of whose files are as they were written.

    Raises:
        DamagedError: if one is not.
    """
    content = read(path)
    for name, described in content["files"].items():
        try:
            found = _described(path / name)
        except OSError:
            raise DamagedError(f"{path}: {name} is missing") from None
        if found != described:
            size = f"{found[0]} bytes where {described[0]} were written"
            changed = size if found[0] != described[0] else "its bytes have changed"
            raise DamagedError(f"{path}: {name} is damaged ({changed})")
    return content


def _described(file: pathlib.Path) -> list[int]:
    """Returns size and checksum of a file."""
    size = checksum = 0
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            size, checksum = size + len(block), zlib.crc32(block, checksum)
    return [size, checksum]
