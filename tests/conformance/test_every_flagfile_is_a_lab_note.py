"""Every flagfile names existing things and says the paper, the command and the time in its header."""

import re

import pytest
from support import registry


def read(path):
    """Its comments, and its flags by name."""
    lines = path.read_text().splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    return comments, dict(line[2:].partition("=")[::2] for line in lines if line.startswith("--"))


@pytest.mark.parametrize("path", registry.FLAGFILES, ids=lambda path: path.stem)
def test_every_flagfile_is_a_lab_note(path):
    comments, flags = read(path)
    for word in ("Paper:", "Command:", "Time:"):
        assert word in comments
    assert f"trainers/flagfiles/{path.name}" in comments
    assert flags["algorithm"] in registry.ALGORITHMS
    assert flags["nets"] in registry.FAMILIES


@pytest.mark.parametrize("path", registry.FLAGFILES, ids=lambda path: path.stem)
def test_every_flag_of_a_flagfile_is_accepted(path):
    from absl import flags as absl_flags

    from trainers.run import flags

    values = absl_flags.FlagValues()
    flags.define(values)
    flags.parse(["", f"--flagfile={path}"], values)
    for name, value in read(path)[1].items():
        assert re.sub(r"\s", "", str(value)) == "" or values[name].present
