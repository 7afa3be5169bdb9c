"""Runs that many tests look at, trained once."""

import os
import pathlib
import shutil
from collections.abc import Callable

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
def trained_once(request, made_once) -> Callable[..., pathlib.Path]:
    """Returns a function that trains a run by its name, once for all; no test may change one.

    The fast suite trains eagerly, whichever test asks first: others count the bits.
    """
    fast = request.config.getoption("markexpr") == "not slow"

    def trained(name: str, *flags: str) -> pathlib.Path:
        def make(workdir: pathlib.Path) -> None:
            with command_line.eagerly(fast):
                command_line.train(workdir, *flags)

        return made_once(name, make)

    return trained


@pytest.fixture(scope="session")
def trained_toy(trained_once) -> pathlib.Path:
    """Trains points in the plane."""
    return trained_once("toy", *command_line.TOY, "--energy.ema=0.5")


@pytest.fixture(scope="session")
def trained_digits(trained_once) -> pathlib.Path:
    """Trains digits."""
    return trained_once("digits", *command_line.DIGITS)


@pytest.fixture(scope="session")
def trained_classes(trained_once) -> pathlib.Path:
    """Trains digits with an energy for each class."""
    more = ("--energy.outputs=10", "--generative_convnet.chains=10")
    return trained_once("classes", *command_line.DIGITS, *more)


@pytest.fixture(scope="session")
def trained_texture(trained_once) -> pathlib.Path:
    """Trains a texture."""
    return trained_once("texture", *command_line.TEXTURE)


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
