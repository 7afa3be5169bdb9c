"""Exports of runs that were trained once."""

import contextlib
import io
import os
import pathlib
import shutil
import sys
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "trainers"))

import command_line
import latent_models


class Export(NamedTuple):
    """An export of a SavedModel into a directory that holds an older one."""

    output: pathlib.Path
    first: dict[str, bytes]
    """The older version's files as they were."""
    run: tuple[dict[str, bytes], dict[str, bytes]]
    """The run's files before and after."""
    printed: list[str]


@pytest.fixture(autouse=True)
def _default_precision():
    """No test leaves its precision to the next."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trains runs by name; each once, none to be changed."""
    made = {}

    def train(name: str, *flags: str) -> pathlib.Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("runs") / name
            command_line.train(made[name], "--generative_convnet.sample_steps=5", *flags)
        return made[name]

    return train


@pytest.fixture(scope="session")
def digits(trained) -> pathlib.Path:
    """A run of digits by a net of one energy, whose weights are averaged."""
    return trained("digits", *command_line.DIGITS, "--energy.ema=0.5")


@pytest.fixture(scope="session")
def exported(digits, tmp_path_factory) -> pathlib.Path:
    """Everything that is exported of it."""
    output = tmp_path_factory.mktemp("exported") / "out"
    command_line.start("export.main", f"--workdir={digits}", "--nomeasure", f"--output={output}")
    return output


@pytest.fixture(scope="session")
def exported_again(digits, exported, tmp_path_factory) -> Export:
    """The same, exported once more."""
    output = tmp_path_factory.mktemp("again") / "out"
    shutil.copytree(exported, output)
    first = command_line.content(output / "saved_model" / "generative_convnet" / "1")
    before = command_line.content(digits)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        command_line.start(
            "export.main", f"--workdir={digits}", f"--output={output}", "--formats=saved_model", "--nomeasure"
        )
    return Export(output, first, (before, command_line.content(digits)), said.getvalue().split())


@pytest.fixture(scope="session")
def triangle(trained) -> pathlib.Path:
    """A run of digits by the divergence triangle, whose generator is averaged."""
    small = [f"--{role}.width=0.125" for role in ("energy", "generator", "inference")]
    once = ("--batch_size=8", "--steps=2", "--log_every=2", "--save_every=2", "--sample_every=2")
    chosen = ("--algorithm=divergence_triangle", *latent_models.SMALL, "--divergence_triangle.completion_rounds=1")
    return trained("triangle", *chosen, *small, *once, "--generator.learning_rate=0.1", "--generator.ema=0.5")


@pytest.fixture(scope="session")
def exported_triangle(triangle, tmp_path_factory) -> pathlib.Path:
    """Everything that is exported of it."""
    output = tmp_path_factory.mktemp("exported") / "triangle"
    command_line.start("export.main", f"--workdir={triangle}", "--nomeasure", f"--output={output}")
    return output
