"""The directory that an export writes to: by one command at a time, cleared of what was killed."""

import contextlib
import errno
import fcntl
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Iterator

from tfgen.errors import UserError

ASIDE = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)(?P<end>\.older|\.\w+|)")
"""Names that `files.written_aside` gives to what is not whole yet."""


@contextlib.contextmanager
def in_use(directory: pathlib.Path) -> Iterator[None]:
    """Keeps other exports out of a directory within the block.

    The directory is made, and removed again if the block fails and leaves it empty. The system
    ends the lock with the process, however that ends.

    Args:
        directory: of `--output`.

    Raises:
        UserError: if another process exports to it.
    """
    made = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        if not _taken(descriptor):
            raise UserError(
                f"--output: another export is writing to {directory}; wait for its end, or choose "
                "another directory"
            )
        yield
    except BaseException:
        if made:
            with contextlib.suppress(OSError):  # it holds files
                directory.rmdir()
        raise
    finally:
        os.close(descriptor)


def remove_leftovers(directory: pathlib.Path, is_own: Callable[[str], bool]) -> None:
    """Removes what killed commands have left half written.

    What a process that runs is writing stays, and so do hidden files that are none of ours.

    Args:
        directory: to clear; it need not exist.
        is_own: tells whether a finished file of this name would be one of the command's.
    """
    if not directory.is_dir():
        return
    for place in directory.iterdir():
        found = ASIDE.fullmatch(place.name)
        if found is None or not is_own(found["name"]) or _is_alive(int(found["pid"])):
            continue
        if found["end"] not in (".older", pathlib.PurePath(found["name"]).suffix):
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    """Tells whether another process with a number runs on this machine."""
    if pid == os.getpid():
        return False  # a number that was used before: this process has written nothing yet
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _taken(descriptor: int) -> bool:
    """Takes the lock of a directory, and returns whether it was free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # some file systems know no locks
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True
