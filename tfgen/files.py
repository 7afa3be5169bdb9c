"""Atomic writing: files that appear whole or not at all."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator


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
    try:
        yield aside
        for written in (*aside.rglob("*"), aside):
            flush(written)
        if path.is_dir():  # no system replaces a directory that holds files
            path.rename(older)
        aside.replace(path)
        flush(path.parent)
    finally:
        for leftover in (aside, older):  # after a success the first is gone
            if leftover.is_dir():
                shutil.rmtree(leftover)
            else:
                leftover.unlink(missing_ok=True)


def flush(path: pathlib.Path) -> None:
    """Forces a file, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
