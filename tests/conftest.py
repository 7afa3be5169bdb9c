"""Set-up that all tests share."""

import argparse
import gc
import importlib
import os
import pathlib
import shutil
from collections.abc import Callable

import filelock
import jaxtyping
import pytest
from support import sharing

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes share the cores
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

CHECKED = [
    f"tfgen.{name}"
    for name in ("distributions", "energies", "losses", "patches", "random", "samplers")
]
"""Modules whose types and shapes are checked at each call.

They are named one by one: the import hook breaks subclasses of Keras layers.
"""


def runs_tests() -> bool:
    """Returns whether this process runs tests, and does not only hand them out to others."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--numprocesses", default="0")
    workers = parser.parse_known_args()[0].numprocesses
    return "PYTEST_XDIST_WORKER" in os.environ or workers == "0"


if runs_tests():  # to import TensorFlow takes seconds, for which the workers would wait
    import support.typechecks  # noqa: F401  the import hook calls it by its name

    import tfgen  # noqa: F401  sets up TensorFlow, before a test imports that

    with jaxtyping.install_import_hook(CHECKED, "support.typechecks.checked"):
        for name in CHECKED:
            importlib.import_module(name)


def pytest_collection_modifyitems(items):
    """Lets tests that take long begin first."""
    items[:] = sharing.in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Returns the scheduler of `--dist loadfile`, which keeps some folders together, too."""
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False
    return sharing.Sharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def _prepared_data(tmp_path_factory):
    """Keeps prepared data out of the user's cache, in this process and those that it starts."""
    os.environ["TFGEN_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", autouse=True)
def _graphs(request):
    """Runs functions without their graphs, or leaves graphs as they were traced, where these cost.

    Most graphs of tests are small and run once or twice. To trace one takes longer than to run its
    operations one by one, and so files that are marked `eager` do that. To optimize one takes
    longer than to run it, and may change its last bits. Tests that count bits compare with
    processes of their own, which optimize. The slow suite does all as users do.
    """
    import tensorflow as tf

    slow = request.config.getoption("markexpr") != "not slow"
    rooms = set(request.path.parts)
    eager = request.node.get_closest_marker("eager") is not None
    tf.config.run_functions_eagerly(eager and not slow)
    optimized = slow or bool({"trainers", "analysis", "experiments"} & rooms)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not optimized})
    yield
    tf.config.run_functions_eagerly(False)  # before fixtures of a wider scope are made for others


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
