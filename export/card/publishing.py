"""What a card may show to strangers: text without markup, names without local paths."""

import math
import pathlib
import re
from typing import Any

import jinja2
import markupsafe

LOCAL = re.compile(r"(?<![\w./\\])(?:~|[A-Za-z]:)?[/\\](?![/\\])[^\s,;\"'`)]*[^\s,;\"'`).]")
"""Absolute paths within a text."""

MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&#96;", "|": "&#124;", "](": "&#93;("}
"""What would be read as markup, and what shows it instead."""


def data_name(dataset: str) -> str:
    """Returns the name of a data set without the directories of a user's own files.

    Args:
        dataset: as `--dataset` names it.
    """
    kind, colon, place = dataset.partition(":")
    if not colon:
        return _without_paths(dataset)
    return f"{kind}:{pathlib.PurePath(place).name}"


def plain(value: Any) -> Any:
    """Returns a value as JSON can hold it, with names in the place of absolute paths.

    Numbers that are not finite become None, which JSON has and they are not.

    Args:
        value: numbers, texts, lists and mappings.
    """
    if isinstance(value, dict):
        return {_without_paths(str(name)): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _without_paths(value) if isinstance(value, str) else value


def escaped(value: Any) -> Any:
    """Returns a text in which Markdown and HTML read nothing but text."""
    if isinstance(value, markupsafe.Markup | bool | int | float):
        return value
    text = re.sub(r"\s+", " ", str(value))
    for mark, shown in MARKUP.items():
        text = text.replace(mark, shown)
    return markupsafe.Markup(text)


def environment() -> jinja2.Environment:
    """Returns the environment of templates whose values are escaped."""
    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=escaped,
    )


def _without_paths(text: str) -> str:
    """Returns a text with the last part of each absolute path in its place."""
    head, colon, tail = text.partition(":")
    if text.startswith(("/", "~/", "\\")):  # a path as a whole, spaces and all
        return pathlib.PurePath(text).name
    if colon and tail.startswith(("/", "~/")) and not tail.startswith("//"):
        return f"{head}:{pathlib.PurePath(tail).name}"
    return LOCAL.sub(lambda found: re.split(r"[/\\]", found[0])[-1], text)
