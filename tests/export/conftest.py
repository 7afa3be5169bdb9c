"""Exports of runs that were trained once."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "trainers"))

import command_line


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trains runs of generative ConvNets by name; each once, none to be changed."""
    made = {}

    def train(name: str, *flags: str) -> pathlib.Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("runs") / name
            command_line.train(made[name], "--generative_convnet.sample_steps=5", *flags)
        return made[name]

    return train


@pytest.fixture(scope="session")
def digits(trained) -> pathlib.Path:
    """A run of digits by a net of one energy."""
    return trained("digits", *command_line.DIGITS)


@pytest.fixture(scope="session")
def exported(digits, tmp_path_factory) -> pathlib.Path:
    """Everything that is exported of it."""
    output = tmp_path_factory.mktemp("exported") / "out"
    command_line.start("export.main", f"--workdir={digits}", f"--output={output}")
    return output
