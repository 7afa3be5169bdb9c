"""Every command that a page shows is one: its module is there, and it knows all of the flags."""

import importlib
import pathlib
import re
import shlex

import pytest
from absl import flags as absl_flags
from support import registry

from trainers.run import flags

PAGES = [registry.ROOT / "README.md", *sorted((registry.ROOT / "docs").rglob("*.md"))]


def commands(page: pathlib.Path) -> list[list[str]]:
    """The command lines of a page's code blocks, as the words of a shell."""
    text = page.read_text().replace("\\\n", " ")
    return [
        shlex.split(line)
        for line in re.findall(r"^(?:    )?(python -m [^\n`]+)$", text, flags=re.M)
    ]


CASES = [(page, words) for page in PAGES for words in commands(page)]


def test_pages_show_commands():
    """Each kind of them is found where it is known to stand."""
    pages = {page.name for page, _ in CASES}
    assert {"README.md", "theory.md", "classifier.md"} <= pages


@pytest.mark.parametrize(
    ("page", "words"), CASES, ids=[f"{p.stem}-{w[2]}-{i}" for i, (p, w) in enumerate(CASES)]
)
def test_every_documented_command_parses(page, words):
    module = importlib.import_module(words[2])
    values = absl_flags.FlagValues()
    getattr(module, "define", flags.define)(values)
    given = [
        word.replace("trainers/flagfiles", str(registry.ROOT / "trainers" / "flagfiles"))
        for word in words[3:]
    ]
    flags.parse(["", *given], values)
