"""Tests of contenders in processes of their own: how they are asked, the check, the table."""

import sys

import numpy as np
import pytest
from absl import flags as absl_flags

from benchmarks.peers import side_by_side, workload
from benchmarks.peers.comparisons import LangevinDynamics
from benchmarks.speed import processes, rates
from benchmarks.speed.options import OURS
from tfgen.errors import UserError
from tfgen.nets.families import triangle_digits

ECHO = """
from benchmarks.peers import contender
import numpy as np

def run():
    print("more of it")

stream = contender.answers()
print("a library's chatter")
contender.serve(contender.Entry("1.2", lambda: {"energies": np.ones(2)}, run), stream)
"""
TINY = LangevinDynamics("digits", triangle_digits, (8, 8, 1), chains=3, times=2)


def test_a_contender_answers_whatever_its_library_prints():
    with processes.started({"echo": [sys.executable, "-c", ECHO]}) as contenders:
        assert contenders["echo"].version == "1.2"
        outputs = processes.outputs_of(contenders)["echo"]
        assert {name: array.shape for name, array in outputs.items()} == {"energies": (2,)}
        seconds = processes.interleaved(contenders, 3, "processor")
    assert len(seconds["echo"]) == 3
    assert all(0 <= s < 1 for s in seconds["echo"])


def test_a_contender_that_ends_is_named_with_its_last_words():
    broken = [sys.executable, "-c", "raise SystemExit('no such library')"]
    with (
        pytest.raises(UserError, match="no such library"),
        processes.started({"broken": broken}),
    ):
        pass


@pytest.mark.parametrize("wrong", ["energies", "gradients"])
def test_a_contender_with_other_numbers_is_refused(wrong):
    right = {"energies": np.ones(2), "gradients": np.ones((2, 1, 1, 1))}
    other = right | {wrong: right[wrong] * 1.001}
    side_by_side.check({OURS: right, "same": right, rates.PRODUCT: {}}, 1e-4)
    with pytest.raises(UserError, match=f"other: expected tfgen's {wrong}"):
        side_by_side.check({OURS: right, "other": other}, 1e-4)
    silent = "silent: expected some of energies, gradients and found nothing"
    with pytest.raises(UserError, match=silent):
        side_by_side.check({OURS: right, "silent": {}}, 1e-4)


def test_a_comparison_goes_from_its_command_to_a_page_and_leaves_the_others_there(
    tmp_path, monkeypatch
):
    page = tmp_path / "results.md"
    page.write_text("<!-- part: peers_other -->\nstays\n")
    echo = [sys.executable, "-c", ECHO]
    left_out = [sys.executable, "-c", "raise SystemExit('left out')"]
    monkeypatch.setattr(side_by_side.comparisons, "ALL", {"tiny": TINY})
    started = {rates.PRODUCT: echo, OURS: echo, "JAX": left_out}
    monkeypatch.setattr(side_by_side, "commands_of", lambda *_: started)
    values = absl_flags.FlagValues()
    side_by_side.define(values)
    values(["", "--rounds=1", "--without=JAX", f"--python={sys.executable}", f"--page={page}"])
    side_by_side.main(values)
    found = page.read_text()
    assert "peers_other -->\nstays" in found
    command = "python -m benchmarks.peers.side_by_side --rounds=1 --workloads=tiny --without=JAX"
    assert f"Command: `{command}`" in found
    assert found.splitlines()[-1].startswith("| tfgen 1.2 | ")


@pytest.mark.slow
def test_tfgens_numbers_are_those_of_its_neighbour_in_the_same_environment(tmp_path):
    """Two processes import TensorFlow; the other peers are checked whenever they are timed."""
    file = tmp_path / "w.npz"
    workload.write(file, TINY.work()[0])
    commands = side_by_side.commands_of(TINY, str(file), sys.executable)
    commands = {name: commands[name] for name in (OURS, "TensorFlow Probability")}
    with processes.started(commands) as contenders:
        side_by_side.check(processes.outputs_of(contenders), TINY.tolerance)
        assert processes.interleaved(contenders, 1, "wall").keys() == commands.keys()


def test_the_table_compares_within_a_round():
    """tfgen reaches half of the product's rate, a peer a quarter; one round is slow for all."""
    operations = rates.PRODUCT_OPERATIONS
    rate = operations / 1e9
    seconds = {
        rates.PRODUCT: [1.0, 2.0, 1.0],
        "tfgen": [2.0, 4.0, 2.0],
        "peer": [4.0, 8.0, 4.0],
    }
    timed = processes.Timed(seconds, {"tfgen": "0", "peer": "1"})
    found = side_by_side.report(TINY, timed, origin="`me`", operations=operations)
    columns, _, *lines = found.splitlines()[-4:]
    assert lines == [
        f"| tfgen 0 | 1000.0 | {rate / 2:.0f} | 0.50 | 1.00 |",
        f"| peer 1 | 2000.0 | {rate / 4:.0f} | 0.25 | 2.00 |",
    ]
    assert columns.count("|") == lines[0].count("|")
