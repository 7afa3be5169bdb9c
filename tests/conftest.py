"""What holds for all tests."""

import gc
import os
import pathlib
import shutil
from collections.abc import Callable

import filelock
import pytest

import tfgen  # noqa: F401  its settings of TensorFlow's start-up, before a test imports that


@pytest.fixture(scope="session", autouse=True)
def _collect_garbage_seldom():
    """Graphs are many small objects: by default Python would look through all of them for each few hundred new ones."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Makes directories by their names: the worker that asks first makes one, the others wait for it.

    None is to be changed.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made_once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[pathlib.Path], object]) -> pathlib.Path:
        place, done = shared / name, shared / f"{name}.done"
        with filelock.FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(place, ignore_errors=True)  # what a worker left that failed
                make(place)
                done.touch()
        return place

    return made
