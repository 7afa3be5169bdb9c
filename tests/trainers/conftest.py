"""Runs that many tests look at, trained once."""

import os
import pathlib
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import command_line
import keras
import pytest


@pytest.fixture(autouse=True)
def _default_precision():
    """No test leaves its precision to the next."""
    yield
    keras.config.set_dtype_policy("float32")


def _trained(factory, name: str, *flags: str) -> pathlib.Path:
    workdir = factory.mktemp("runs") / name
    command_line.train(workdir, *flags)
    return workdir


@pytest.fixture(scope="session")
def trained_toy(tmp_path_factory) -> pathlib.Path:
    """A finished run of points in the plane; not to be changed."""
    return _trained(tmp_path_factory, "toy", *command_line.TOY, "--energy.ema=0.5")


@pytest.fixture(scope="session")
def trained_digits(tmp_path_factory) -> pathlib.Path:
    """A finished run of digits; not to be changed."""
    return _trained(tmp_path_factory, "digits", *command_line.DIGITS)


@pytest.fixture(scope="session")
def trained_classes(tmp_path_factory) -> pathlib.Path:
    """A finished run of digits with an energy for each class; not to be changed."""
    return _trained(tmp_path_factory, "classes", *command_line.DIGITS, "--energy.outputs=10")


@pytest.fixture(scope="session")
def trained_texture(tmp_path_factory) -> pathlib.Path:
    """A finished run of a texture; not to be changed."""
    return _trained(tmp_path_factory, "texture", *command_line.TEXTURE)


@pytest.fixture
def toy(trained_toy, tmp_path) -> pathlib.Path:
    """A finished run of points in the plane, the test's own."""
    return pathlib.Path(shutil.copytree(trained_toy, tmp_path / "toy"))


@pytest.fixture
def digits(trained_digits, tmp_path) -> pathlib.Path:
    """A finished run of digits, the test's own."""
    return pathlib.Path(shutil.copytree(trained_digits, tmp_path / "digits"))


@pytest.fixture
def classes(trained_classes, tmp_path) -> pathlib.Path:
    """A finished run of digits with an energy for each class, the test's own."""
    return pathlib.Path(shutil.copytree(trained_classes, tmp_path / "classes"))


@pytest.fixture
def texture(trained_texture, tmp_path) -> pathlib.Path:
    """A finished run of a texture, the test's own."""
    return pathlib.Path(shutil.copytree(trained_texture, tmp_path / "texture"))
