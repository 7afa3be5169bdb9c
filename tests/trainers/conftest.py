"""Runs that many tests look at, trained once."""

import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
from support import command_line


@pytest.fixture(autouse=True)
def _default_precision():
    """Resets the default precision after each test."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def trained_toy(made_once) -> pathlib.Path:
    """Trains points in the plane, once for all; no test may change the run."""
    return made_once("toy", lambda w: command_line.train(w, *command_line.TOY, "--energy.ema=0.5"))


@pytest.fixture(scope="session")
def trained_digits(made_once) -> pathlib.Path:
    """Trains digits, once for all; no test may change the run."""
    return made_once("digits", lambda w: command_line.train(w, *command_line.DIGITS))


@pytest.fixture(scope="session")
def trained_classes(made_once) -> pathlib.Path:
    """Trains digits with an energy for each class, once for all; no test may change the run."""
    flags = (*command_line.DIGITS, "--energy.outputs=10", "--generative_convnet.chains=10")
    return made_once("classes", lambda w: command_line.train(w, *flags))


@pytest.fixture(scope="session")
def trained_texture(made_once) -> pathlib.Path:
    """Trains a texture, once for all; no test may change the run."""
    return made_once("texture", lambda w: command_line.train(w, *command_line.TEXTURE))


@pytest.fixture
def toy(trained_toy, tmp_path) -> pathlib.Path:
    """Returns a finished run of points in the plane, the test's own copy."""
    return pathlib.Path(shutil.copytree(trained_toy, tmp_path / "toy"))


@pytest.fixture
def digits(trained_digits, tmp_path) -> pathlib.Path:
    """Returns a finished run of digits, the test's own copy."""
    return pathlib.Path(shutil.copytree(trained_digits, tmp_path / "digits"))


@pytest.fixture
def classes(trained_classes, tmp_path) -> pathlib.Path:
    """Returns a finished run of digits with an energy for each class, the test's own copy."""
    return pathlib.Path(shutil.copytree(trained_classes, tmp_path / "classes"))


@pytest.fixture
def texture(trained_texture, tmp_path) -> pathlib.Path:
    """Returns a finished run of a texture, the test's own copy."""
    return pathlib.Path(shutil.copytree(trained_texture, tmp_path / "texture"))
