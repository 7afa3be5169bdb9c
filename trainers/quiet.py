"""Keeps TensorFlow's start-up messages off the commands' stderr; `--verbose` shows them.

TensorFlow's C++ code writes some of them while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says.
TensorFlow 2.19 and 2.20 also write a line or two when XLA first compiles; these are not held back.
Where a SavedModel is loaded, TensorFlow warns for each function that it may have no gradient. The
commands take none, and the warnings are left out.
"""

import contextlib
import importlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence

VERBOSE = frozenset({"--verbose", "-verbose", "--verbose=true", "--verbose=1"})
PACKAGES = ("trainers", "export", "experiments", "benchmarks")
"""The packages whose modules are commands."""

# "I0000 00:00:1796055915.004138   12330 port.cc:153] " or, in TensorFlow 2.19,
# "2026-01-31 10:20:30.123456: I tensorflow/core/util/port.cc:153] "
_HEAD = rb"(?:[IW]\d{4} [\d:.]+ +\d+|[\d-]+ [\d:.]+: [IW]) \S+:\d+\] "
_STARTUP = re.compile(
    rb"^(?:WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions"
    rb"|.*Unable to register cu\w+ factory"
    rb"|.*failed call to cuInit"
    rb"|" + _HEAD + rb")"
)


_UNSAVED = "unsaved custom gradients"
"""A part of the warning that a function of a SavedModel may have no gradient."""


def is_news(record: logging.LogRecord) -> bool:
    """Returns whether a message of TensorFlow's is to be shown."""
    return _UNSAVED not in record.getMessage()


def is_command(argv: Sequence[str], original: Sequence[str]) -> bool:
    """Returns whether Python is about to start one of the project's modules by `python -m`.

    Args:
        argv: `sys.argv`; its first word is "-m" while Python looks for the module.
        original: `sys.orig_argv`, the words that Python itself was started with.
    """
    if not argv or argv[0] != "-m" or len(original) < len(argv):
        return False
    module = original[-len(argv)].removeprefix("-m")
    return module.partition(".")[0] in PACKAGES


def start(arguments: Sequence[str]) -> None:
    """Imports TensorFlow without its start-up messages, unless the arguments hold `--verbose`.

    Args:
        arguments: of the command.
    """
    if VERBOSE & set(arguments):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with held_back():
        importlib.import_module("tensorflow")
    logging.getLogger("absl").addFilter(is_news)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Holds back stderr, that of C++ code included, then writes it without start-up messages.

    When the block fails, everything is written.
    """
    if sys.stderr is None:  # the process was started without one
        yield
        return
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            text = held.read()
            with contextlib.suppress(OSError):  # whoever read it may be gone
                os.write(2, text if failed else worth_reading(text))


def worth_reading(text: bytes) -> bytes:
    """Returns what was written to stderr without the lines of TensorFlow's start-up."""
    lines = text.splitlines(keepends=True)
    return b"".join(line for line in lines if not _STARTUP.match(line))
