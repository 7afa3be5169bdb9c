"""Set-up that all tests share."""

import gc
import importlib
import os
import pathlib
import shutil
from collections.abc import Callable

import filelock
import jaxtyping
import pytest
import support.typechecks  # noqa: F401  the import hook calls it by its name

import tfgen  # sets up TensorFlow, before a test imports that

CHECKED = [
    f"{tfgen.__name__}.{name}"
    for name in ("distributions", "energies", "losses", "patches", "random", "samplers")
]
"""Modules whose types and shapes are checked at each call.

They are named one by one: the import hook breaks subclasses of Keras layers.
"""

with jaxtyping.install_import_hook(CHECKED, "support.typechecks.checked"):
    for name in CHECKED:
        importlib.import_module(name)


@pytest.fixture(scope="session", autouse=True)
def _prepared_data(tmp_path_factory):
    """Keeps prepared data out of the user's cache, in this process and those that it starts."""
    os.environ["TFGEN_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", autouse=True)
def _traced_graphs(request):
    """Leaves graphs as they were traced, but for tests that count bits or run slow cases.

    Most graphs of tests are small and run once or twice, and to optimize one takes longer than to
    run it. Its last bits may differ, and so runs in processes of their own, which optimize, would.
    """
    import tensorflow as tf

    slow = request.config.getoption("markexpr") != "not slow"
    optimized = slow or bool({"trainers", "analysis", "experiments"} & set(request.path.parts))
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not optimized})


@pytest.fixture(scope="session", autouse=True)
def _collect_garbage_seldom():
    """Makes Python's garbage collector run seldom.

    Graphs are many small objects, and by default it would look through all of them for each few
    hundred new ones.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Returns a function that makes a directory by its name, once for all workers.

    The worker that asks first makes it, and the others wait. No test may change one.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made_once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[pathlib.Path], object]) -> pathlib.Path:
        place, done = shared / name, shared / f"{name}.done"
        with filelock.FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(place, ignore_errors=True)  # a worker that failed left it
                make(place)
                done.touch()
        return place

    return made
