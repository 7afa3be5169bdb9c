"""The drawings of this package, found by listing its files."""

import functools
import importlib
import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from trainers import drawings
from trainers.drawings.request import Request
from trainers.run.trained import Trained

WIDTH = 100
"""Columns of a help text."""


class Drawing(NamedTuple):
    """What a file of the package defines."""

    name: str
    caption: str
    """A sentence that says what is seen."""
    draw: Callable[[Trained, Request], np.ndarray]
    images: Callable[..., Iterator[np.ndarray]] | None
    """Of drawings whose images may be written one by one."""
    film: bool
    """Whether it is a film, even of a model of images."""


@functools.cache
def find() -> dict[str, Drawing]:
    """Returns all drawings, by name."""
    found = {}
    for file in pkgutil.iter_modules(drawings.__path__):
        module = importlib.import_module(f"{drawings.__name__}.{file.name}")
        defined = vars(module)
        if "draw" in defined:  # others hold what drawings share
            caption = " ".join((module.__doc__ or "").split())
            draw, images, film = defined["draw"], defined.get("images"), "FILM" in defined
            found[file.name] = Drawing(file.name, caption, draw, images, film)
    return found


def table() -> str:
    """Returns the names of the drawings with their captions, a paragraph each."""
    indent = " " * 15
    paragraphs = []
    for name, caption in captions().items():
        first = f"  {name:11}  "
        wrapped = textwrap.fill(caption, WIDTH, initial_indent=first, subsequent_indent=indent)
        paragraphs.append(wrapped)
    return "\n".join(paragraphs)


def captions() -> dict[str, str]:
    """Returns what is said below each drawing, by name."""
    return {name: drawing.caption for name, drawing in find().items()}
