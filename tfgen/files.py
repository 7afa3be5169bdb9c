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
        path: the file or directory to write. A file that is there is replaced, or kept if the block
            fails.

    Example:
        ```python
        with files.written_aside(pathlib.Path("values.json")) as path:
            path.write_text("{}")
        ```
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    try:
        yield aside
        aside.replace(path)
    finally:
        # after a success it is gone
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink(missing_ok=True)
