"""Two replicas against one.

They run in a process of their own with two logical processors: support/two_replicas.py.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]


def printed(what: str) -> dict:
    """Returns what the other process prints."""
    done = subprocess.run(
        [
            sys.executable,
            str(pathlib.Path(__file__).parents[1] / "support" / "two_replicas.py"),
            what,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def found():
    """Returns the numbers of updates, steps and chains."""
    return printed("updates")


@pytest.fixture(scope="module")
def incomplete():
    """Returns results on incomplete images by the algorithm's name: of one replica and of two."""
    return printed("incomplete")


def test_weights_agree_with_those_of_one_replica_on_the_same_batches(found):
    """Three noise-free updates of contrastive divergence with all stabilizers agree to 1e-5."""
    start, one, two = (np.array(found[name]) for name in ("start", "one", "two"))
    assert np.abs(one - start).max() > 0.01
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-5)


def test_each_replica_sees_its_share_of_the_batch(found):
    assert found["shapes"] == [[4, 8, 8, 1]] * 2


def test_the_step_counts_updates_and_not_replicas(found):
    assert found["step"] == 3


def test_chains_of_both_replicas_are_all_different(found):
    """No replica draws another's noise."""
    chains = np.array(found["chains"][0]).reshape(4, -1)
    apart = np.abs(chains[:, None] - chains[None]).max(axis=-1)
    assert apart[~np.eye(4, dtype=bool)].min() > 0.01


def test_every_chain_is_saved_on_each_replica(found):
    first, second = found["chains"]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(found["saved"], first)


def test_chains_that_cannot_be_shared_evenly_are_refused(found):
    assert "multiple of the 2 replicas, which share them evenly, and found 3" in found["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["divergence_triangle", "abp"])
def test_learning_from_incomplete_images_is_the_same_on_one_replica_and_on_two(incomplete, name):
    """Four updates agree to 1e-5, and pixels to half precision, in which they are kept.

    The draws are the same for all images.
    """
    one, two = incomplete[name]
    assert np.isfinite(one["matrices"]).all()
    np.testing.assert_allclose(two["matrices"], one["matrices"], rtol=1e-5, atol=1e-5)
    for ours, theirs, rounding in zip(
        two["memories"], one["memories"], (2**-9, 1e-5), strict=False
    ):
        np.testing.assert_allclose(ours, np.repeat(theirs, 2, axis=0), rtol=0, atol=rounding)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["divergence_triangle", "abp"])
def test_what_each_replica_made_of_its_images_is_remembered_on_both(incomplete, name):
    """4 batches of 8 have met each of the 20 images."""
    for memory in incomplete[name][1]["memories"]:
        first, second = np.array(memory)
        np.testing.assert_array_equal(first, second)
        assert (np.abs(first).reshape(20, -1).max(axis=1) > 0).all()
