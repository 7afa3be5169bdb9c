"""What holds for all tests."""

import pathlib

import pytest

import tfgen  # noqa: F401  its settings of TensorFlow's start-up, before a test imports that

HERE = pathlib.Path(__file__).parent

SHARING = ("conformance", "export")
"""Directories whose files share what takes long to make."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Where tests run side by side, those of a file run in one process; those of a directory that shares, too."""
    for item in items:
        place = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group(place.parts[0] if place.parts[0] in SHARING else str(place)))
