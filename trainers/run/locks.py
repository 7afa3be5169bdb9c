"""The lock on a work directory: one training at a time writes to it."""

import contextlib
import errno
import fcntl
import os
import pathlib
import socket
import sys
from collections.abc import Iterator

from tfgen.errors import UserError

NAME = ".lock"
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems answer that know no locks."""


@contextlib.contextmanager
def held(workdir: pathlib.Path) -> Iterator[None]:
    """Holds the lock of a work directory, which is made, within the block.

    A block that writes nothing leaves nothing behind. The system releases the lock when the
    process ends, however it ends.

    Args:
        workdir: of a run.

    Raises:
        UserError: if another process holds it.
    """
    made = [path for path in (workdir, *workdir.parents) if not path.exists()]
    workdir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(workdir / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _taken(descriptor, workdir):
            owner = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise UserError(
                f"--workdir: {workdir} is in use by {owner or 'another process'}; wait for its end "
                "or choose another directory"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
            _forget_empty(workdir, made)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def tried(workdir: pathlib.Path) -> Iterator[bool]:
    """Holds the lock within the block if it is free, and yields whether it does."""
    try:
        descriptor = os.open(workdir / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:  # a directory that may only be read
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except OSError:
        yield False
    finally:
        os.close(descriptor)


def _forget_empty(workdir: pathlib.Path, made: list[pathlib.Path]) -> None:
    """Removes the lock's file, and the directories made for it, where there is nothing else."""
    if [path.name for path in workdir.iterdir()] != [NAME]:
        return
    (workdir / NAME).unlink()
    with contextlib.suppress(OSError):  # another process may use them by now
        for path in made:
            path.rmdir()


def _taken(descriptor: int, workdir: pathlib.Path) -> bool:
    """Takes the lock, and returns whether it was free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        print(
            f"{workdir}: its file system knows no locks; start no second training there",
            file=sys.stderr,
        )
    return True
