"""Atomic writing: files that appear whole or not at all."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
from collections.abc import Iterator

ASIDE = re.compile(r"\..+\.(\d+)(\.\w+)?")
"""The names of temporary files and directories, with the process that writes them."""


@contextlib.contextmanager
def written_aside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` that takes its place when the block ends well.

    Args:
        path: the file or directory to write. What is there is replaced, or kept if the block
            fails.

    Example:
        ```python
        with files.written_aside(pathlib.Path("values.json")) as path:
            path.write_text("{}")
        ```
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    older = path.with_name(f".{path.name}.{os.getpid()}.older")
    _remove(aside)  # of a process with the same number that was killed
    try:
        yield aside
        for written in (*aside.rglob("*"), aside):
            flush(written)
        # no call replaces a directory that holds files; there is no moment without one
        if not (path.is_dir() and _exchanged(aside, path)):
            if path.is_dir():
                path.rename(older)
            aside.replace(path)
        flush(path.parent)
    finally:
        _remove(aside)  # after a success it is gone, or what it has replaced
        _remove(older)


def clear_leftovers(directory: pathlib.Path) -> None:
    """Removes what processes of this host that are gone had begun to write in a directory.

    Args:
        directory: in which `written_aside` wrote; need not exist.
    """
    for path in directory.glob(".*"):
        match = ASIDE.fullmatch(path.name)
        if match is None or is_alive(int(match[1])):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Returns whether a process of this host runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # somebody else's; no number of a process
        return True
    return True


def flush(path: pathlib.Path) -> None:
    """Forces a file, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: pathlib.Path) -> None:
    """Removes a file, or a directory with all that it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _exchanged(first: pathlib.Path, second: pathlib.Path) -> bool:
    """Exchanges two names in one step, and returns whether the system could do it."""
    names = os.fsencode(first), os.fsencode(second)
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
    system = ctypes.CDLL(None)
    try:
        return system.renameat2(here, names[0], here, names[1], exchange) == 0
    except AttributeError:  # a system that is not Linux
        return False
