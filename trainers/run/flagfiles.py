"""Flagfiles: read in UTF-8 or UTF-16, and each flag remembered with its file and line."""

import codecs
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tfgen.errors import UserError
from trainers import recipes

DIRECTIVE = ("--flagfile", "-flagfile")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Word(NamedTuple):
    """A word of a command line."""

    text: str
    origin: str
    """The flagfile and line that it comes from, in words; empty for the command line itself."""


def expand(argv: Sequence[str]) -> list[Word]:
    """Returns a command line with the flags of each flagfile in the place of its name.

    Args:
        argv: the program's name first.

    Raises:
        UserError: if a flagfile is neither a file nor a recipe, or cannot be read.
    """
    found: list[Word] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in DIRECTIVE:
            value = value if equals else next(words, "")
            found += _flags(_resolved(value), ())
        else:
            found.append(Word(word, ""))
    return found


def _flags(path: pathlib.Path, above: tuple[pathlib.Path, ...]) -> Iterator[Word]:
    """Yields the flags of a file, and those of the files that it names."""
    for number, line in _lines(path):
        name, equals, value = line.partition("=")
        where = f"{path}, line {number}"
        if name in DIRECTIVE or line.split()[0] in DIRECTIVE:
            inner = _resolved(value if equals else line.split()[-1], beside=path)
            # a file that names itself, or one that names it, is read once
            if inner.resolve() not in above and inner.resolve() != path.resolve():
                yield from _flags(inner, (*above, path.resolve()))
        elif re.search(r"\s#\s", line):
            raise UserError(
                f"{name}: expected a comment on a line of its own and found one behind a flag in "
                f"{where}"
            )
        else:
            yield Word(line, where)


def _resolved(flagfile: str, beside: pathlib.Path | None = None) -> pathlib.Path:
    """Returns the path of a flagfile: a file, one beside the file that names it, or a recipe."""
    path = pathlib.Path(flagfile).expanduser()
    if beside is not None and not path.is_file() and (beside.parent / path).is_file():
        return beside.parent / path
    return pathlib.Path(recipes.resolve(str(path) if flagfile else flagfile))


def _lines(path: pathlib.Path) -> Iterator[tuple[int, str]]:
    """Yields the lines of a file that hold flags, with their numbers from 1."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"--flagfile: could not read {path} ({error.strerror})") from error
    content = _as_utf_8(path, content)
    for number, line in enumerate(content.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith((b"#", b"//")):
            continue
        try:
            yield number, stripped.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"--flagfile: expected text in UTF-8 and found another encoding in {path}, line "
                f"{number}; save it as UTF-8"
            ) from error


def _as_utf_8(path: pathlib.Path, content: bytes) -> bytes:
    """Returns the content of a file in UTF-8, without a mark of the encoding at its start."""
    if content.startswith(UTF_16):
        try:
            return content.decode("utf-16").encode("utf-8")
        except UnicodeError as error:
            raise UserError(
                f"--flagfile: expected text and found damaged UTF-16 in {path}; save it as UTF-8"
            ) from error
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise UserError(
            f"--flagfile: expected text and found a binary file, or UTF-16 without a mark, in "
            f"{path}, line {line}; save it as UTF-8"
        )
    return content.removeprefix(codecs.BOM_UTF8)
