"""Every command that a page shows is one: its module is there, and it knows all of the flags."""

import importlib
import pathlib
import re
import shlex

import pytest
from absl import flags as absl_flags
from support import registry

from trainers import cli
from trainers.run import parsing

PAGES = [registry.ROOT / "README.md", *sorted((registry.ROOT / "docs").rglob("*.md"))]
LINE = re.compile(r"^(?:    )?((?:python -m|tfgen) [a-z][^\n`]*)$", flags=re.MULTILINE)


def commands(page: pathlib.Path) -> list[list[str]]:
    """Returns the command lines of a page's code blocks, as the words of a shell."""
    text = page.read_text().replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in LINE.findall(text)]


def started(words: list[str]) -> tuple[str, list[str]]:
    """Returns the module that a command line starts, and its arguments."""
    if words[0] == "python":
        return words[2], words[3:]
    return cli.module_and_arguments(words[1], words[2:])


CASES = [(page, words) for page in PAGES for words in commands(page)]


def test_pages_show_commands():
    """Commands are found on the pages that are known to have some."""
    pages = {page.name for page, _ in CASES}
    assert {"README.md", "theory.md", "classifier.md"} <= pages


@pytest.mark.parametrize(
    ("page", "words"),
    CASES,
    ids=[f"{p.stem}-{started(w)[0]}-{i}" for i, (p, w) in enumerate(CASES)],
)
def test_every_documented_command_parses(page, words):
    name, arguments = started(words)
    values = absl_flags.FlagValues()
    parsing.define_shared(values)
    importlib.import_module(name).define(values)
    parsing.parse(["", *arguments], values)
