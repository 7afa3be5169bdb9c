"""Every algorithm learns the same on one replica, on two, and on two workers.

What is drawn is made the same: support/equal_draws.py.
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from support import registry

from trainers.run import launcher

TESTS = pathlib.Path(__file__).parents[1]


def started(kind, environment=os.environ):
    """Starts a process that trains every algorithm."""
    return subprocess.Popen(
        [
            sys.executable,
            str(TESTS / "support" / "equal_draws.py"),
            kind,
            ",".join(registry.ALGORITHMS),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**environment, "PYTHONPATH": f"{TESTS.parent}:{TESTS}", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def printed(*processes):
    """Returns what processes print, which must end well."""
    found = [process.communicate(timeout=900)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [json.loads(text) for text in found]


@pytest.fixture(scope="module")
def found():
    """Returns losses and movements by algorithm: on one replica, on two, and of two workers."""
    workers = [started("worker", environment) for environment in launcher.environments(2)]
    return [*printed(*workers), *printed(started("one")), *printed(started("two"))]


def agree(ours, theirs, tolerance):
    """Asserts that all losses agree, and how far all weights together have moved."""
    for mine, other in zip(ours["losses"], theirs["losses"], strict=True):
        assert mine == pytest.approx(other, rel=tolerance, abs=tolerance)
    assert sum(ours["moved"]) == pytest.approx(sum(theirs["moved"]), rel=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.ALGORITHMS)
def test_every_algorithm_is_the_same_on_workers(found, name):
    """Both workers hold the same numbers, and those of two replicas, and of one to rounding."""
    chief, other, one, two = (of[name] for of in found)
    assert chief == other
    agree(chief, two, 1e-5)
    agree(two, one, 1e-4)
