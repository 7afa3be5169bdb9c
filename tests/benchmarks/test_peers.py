"""Contenders in processes of their own: what they are given, how they are asked, that a wrong one is refused."""

import pathlib
import sys
import types

import numpy as np
import pytest

from benchmarks import against_peers, processes
from benchmarks.peers import workload
from tfgen.errors import UserError
from tfgen.nets import triangle_digits

ECHO = """
from benchmarks.peers import contender
import numpy as np
print("a library's chatter")
contender.serve("1.2", lambda: (np.ones(2), np.zeros((2, 1, 1, 1))), lambda: print("more of it"))
"""
CASE = against_peers.Case("digits", triangle_digits, (8, 8, 1), chains=3, steps=2)


def small_workload(tmp_path) -> pathlib.Path:
    """A file of it."""
    file = tmp_path / "w.npz"
    workload.write(file, against_peers.workload_of(CASE, against_peers.net_of(CASE)))
    return file


def test_a_workload_is_read_as_it_was_written(tmp_path):
    net = against_peers.net_of(CASE)
    found = workload.read(small_workload(tmp_path))
    assert (found.net, found.steps, found.activation) == ("triangle_digits", 2, "leaky_relu")
    assert found.start.shape == (3, 8, 8, 1)
    for conv, layer in zip(net.convs, found.layers, strict=True):
        np.testing.assert_array_equal(conv.kernel, layer.kernel)
        assert (layer.bias, layer.strides, layer.padding) == (None, conv.strides, conv.padding)
    np.testing.assert_array_equal(net.top.kernel, found.top)


def test_a_contender_answers_whatever_its_library_prints(tmp_path):
    with processes.started({"echo": [sys.executable, "-c", ECHO]}) as contenders:
        echo = contenders["echo"]
        assert echo.version == "1.2"
        energy, gradient = echo.outputs(tmp_path / "o.npz")
        assert (energy.shape, gradient.shape) == ((2,), (2, 1, 1, 1))
        seconds = processes.interleaved(contenders, 3, "processor")
    assert len(seconds["echo"]) == 3
    assert all(0 <= s < 1 for s in seconds["echo"])


def test_a_contender_that_ends_is_named_with_its_last_words():
    with (
        pytest.raises(UserError, match="no such library"),
        processes.started({"broken": [sys.executable, "-c", "raise SystemExit('no such library')"]}),
    ):
        pass


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_contender_with_other_numbers_is_refused(wrong, tmp_path):
    right = (np.ones(2), np.ones((2, 1, 1, 1)))
    other = [a.copy() for a in right]
    other[wrong] *= 1.001

    def contender(outputs):
        return types.SimpleNamespace(outputs=lambda path: outputs)

    against_peers.check({against_peers.OURS: contender(right), "same": contender(right)}, tmp_path)
    with pytest.raises(UserError, match="other: expected tfgen's"):
        against_peers.check({against_peers.OURS: contender(right), "other": contender(other)}, tmp_path)


@pytest.mark.slow
def test_tfgens_numbers_are_those_of_its_neighbour_in_the_same_environment(tmp_path):
    """Two processes that import TensorFlow; the other peers are checked so whenever they are timed."""
    file = str(small_workload(tmp_path))
    commands = {
        name: processes.command_of(against_peers.CONTENDERS[name][0], file)
        for name in ("tfgen", "TensorFlow Probability")
    }
    with processes.started(commands) as contenders:
        against_peers.check(contenders, tmp_path)
        assert processes.interleaved(contenders, 1, "wall").keys() == commands.keys()


def test_the_table_compares_within_a_round():
    """A product of 100 GFLOP/s; tfgen at 50 and a peer at half of it, then a slow round for all."""
    operations = against_peers.rates.PRODUCT_OPERATIONS
    seconds = {"matrix product": [1.0, 2.0, 1.0], "tfgen": [2.0, 4.0, 2.0], "peer": [4.0, 8.0, 4.0]}
    lines = against_peers.report(CASE, seconds, operations, {"tfgen": "0", "peer": "1"}).splitlines()
    rate = operations / 1e9
    assert lines[-2] == f"| tfgen 0 | 1000.0 | {rate / 2:.0f} | 0.50 | 1.00 |"
    assert lines[-1] == f"| peer 1 | 2000.0 | {rate / 4:.0f} | 0.25 | 2.00 |"
