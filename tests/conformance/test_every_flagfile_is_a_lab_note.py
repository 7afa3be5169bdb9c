"""Every flagfile is a lab note: a header of what, paper, command, time and state; flags exist."""

import pathlib
import re
import shlex

import pytest
from support import command_line, registry

from trainers import recipes
from trainers.run import catalogue, flags

every_flagfile = pytest.mark.parametrize("path", registry.FLAGFILES, ids=lambda path: path.stem)
STATES = ("in full", "not run yet", "not to its end yet")


def header(path: pathlib.Path) -> str:
    """Returns the comment at the top of a flagfile."""
    comments = path.read_text().partition("\n--")[0].splitlines()
    return "\n".join(line.removeprefix("#").strip() for line in comments)


def commands_of(path: pathlib.Path) -> list[list[str]]:
    """Returns the command lines of the header; lines that go on are joined."""
    text = header(path).replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(r"python -m \S+[^\n]*", text)]


def test_there_are_flagfiles():
    assert any(path.stem.endswith("_cpu") for path in registry.FLAGFILES)
    assert [path.stem for path in registry.FLAGFILES] == recipes.names()


@every_flagfile
def test_a_header_says_what_is_trained_by_which_paper_how_long_and_whether_it_was_run(path):
    recipe = recipes.read(path)
    assert recipe.name == path.stem
    assert recipe.what.endswith(".")
    assert len(recipe.what) <= 130, "a line of `tfgen recipes`"
    assert {"Paper", "Command", "Time", "Run"} <= recipe.notes.keys()
    assert recipe.notes["Time"].endswith(".")
    assert recipe.notes["Run"].startswith(STATES)


@every_flagfile
def test_a_header_begins_with_the_command_that_trains_it(path):
    training = [c for c in commands_of(path) if c[2] == "trainers.main"]
    assert f"--flagfile={path.relative_to(registry.ROOT)}" in training[0]


@every_flagfile
def test_the_commands_of_a_header_parse(path, monkeypatch):
    monkeypatch.chdir(registry.ROOT)
    for command in commands_of(path):
        command_line.values(command[2], *command[3:])


@every_flagfile
def test_a_flagfile_names_things_that_exist(path):
    values = command_line.recipe(path)
    assert values.algorithm in registry.ALGORITHMS
    assert values.nets in registry.FAMILIES
    for role in catalogue.roles(values.algorithm):
        known = catalogue.hyperparameters(catalogue.net_function(values.nets, role))
        options = flags.net_options(values, role)
        assert {name for name, value in options.items() if value is not None} <= known.keys()
    assert values.workdir is None, "a work directory is the user's to choose"


@every_flagfile
def test_a_flagfile_sets_no_flag_of_another_algorithm(path):
    values = command_line.recipe(path)
    others = [name for name in catalogue.algorithms() if name != values.algorithm]
    for line in path.read_text().splitlines():
        assert not any(line.startswith(f"--{other}.") for other in others), line
