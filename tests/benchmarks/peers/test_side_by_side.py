"""Contenders in processes of their own: how they are asked, that a wrong one is refused, the table of their times."""

import sys
import types

import numpy as np
import pytest
from absl import flags as absl_flags

from benchmarks.peers import side_by_side, workload
from benchmarks.peers.comparisons import OURS, LangevinDynamics
from benchmarks.speed import processes
from tfgen.errors import UserError
from tfgen.nets.families import triangle_digits

ECHO = """
from benchmarks.peers import contender
import numpy as np
said = contender.answers()
print("a library's chatter")
contender.serve(contender.Entry("1.2", lambda: {"energies": np.ones(2)}, lambda: print("more of it")), said)
"""
TINY = LangevinDynamics("digits", triangle_digits, (8, 8, 1), chains=3, times=2)


def test_a_contender_answers_whatever_its_library_prints(tmp_path):
    with processes.started({"echo": [sys.executable, "-c", ECHO]}) as contenders:
        echo = contenders["echo"]
        assert echo.version == "1.2"
        outputs = echo.outputs(tmp_path / "o.npz")
        assert {name: array.shape for name, array in outputs.items()} == {"energies": (2,)}
        seconds = processes.interleaved(contenders, 3, "processor")
    assert len(seconds["echo"]) == 3
    assert all(0 <= s < 1 for s in seconds["echo"])


def test_a_contender_that_ends_is_named_with_its_last_words():
    with (
        pytest.raises(UserError, match="no such library"),
        processes.started(
            {"broken": [sys.executable, "-c", "raise SystemExit('no such library')"]}
        ),
    ):
        pass


@pytest.mark.parametrize("wrong", ["energies", "gradients"])
def test_a_contender_with_other_numbers_is_refused(wrong, tmp_path):
    right = {"energies": np.ones(2), "gradients": np.ones((2, 1, 1, 1))}
    other = right | {wrong: right[wrong] * 1.001}

    def contenders(name, outputs):
        return {
            OURS: types.SimpleNamespace(outputs=lambda path: right),
            name: types.SimpleNamespace(outputs=outputs),
        }

    side_by_side.check(contenders("same", lambda path: right), tmp_path, 1e-4)
    with pytest.raises(UserError, match=f"other: expected tfgen's {wrong}"):
        side_by_side.check(contenders("other", lambda path: other), tmp_path, 1e-4)
    with pytest.raises(
        UserError, match="silent: expected some of energies, gradients and found nothing"
    ):
        side_by_side.check(contenders("silent", lambda path: {}), tmp_path, 1e-4)


def test_a_comparison_goes_from_its_command_to_a_page_and_leaves_the_others_there(
    tmp_path, monkeypatch
):
    page = tmp_path / "results.md"
    page.write_text("<!-- part: peers_other -->\nstays\n")
    command = [sys.executable, "-c", ECHO]
    monkeypatch.setattr(side_by_side.comparisons, "ALL", {"tiny": TINY})
    started = {
        "matrix product": command,
        OURS: command,
        "JAX": [sys.executable, "-c", "raise SystemExit('left out')"],
    }
    monkeypatch.setattr(side_by_side, "commands_of", lambda *_: started)
    values = absl_flags.FlagValues()
    side_by_side.define(values)
    values(["", "--rounds=1", "--without=JAX", f"--python={sys.executable}", f"--page={page}"])
    side_by_side.main(values)
    found = page.read_text()
    assert "peers_other -->\nstays" in found
    assert (
        "Command: `python -m benchmarks.peers.side_by_side --rounds=1 --workloads=tiny --without=JAX`"
        in found
    )
    assert found.splitlines()[-1].startswith("| tfgen 1.2 | ")


@pytest.mark.slow
def test_tfgens_numbers_are_those_of_its_neighbour_in_the_same_environment(tmp_path):
    """Two processes that import TensorFlow; the other peers are checked so whenever they are timed."""
    file = tmp_path / "w.npz"
    workload.write(file, TINY.work()[0])
    commands = side_by_side.commands_of(TINY, str(file), sys.executable)
    commands = {name: commands[name] for name in (OURS, "TensorFlow Probability")}
    with processes.started(commands) as contenders:
        side_by_side.check(contenders, tmp_path, TINY.tolerance)
        assert processes.interleaved(contenders, 1, "wall").keys() == commands.keys()


@pytest.mark.parametrize("counted", [True, False])
def test_the_table_compares_within_a_round(counted):
    """A product of 100 GFLOP/s; tfgen at 50 and a peer at half of it, then a slow round for all."""
    operations = side_by_side.rates.PRODUCT_OPERATIONS
    rate = operations / 1e9
    seconds = {"matrix product": [1.0, 2.0, 1.0], "tfgen": [2.0, 4.0, 2.0], "peer": [4.0, 8.0, 4.0]}
    found = side_by_side.report(
        TINY, "`me`", seconds, operations if counted else None, {"tfgen": "0", "peer": "1"}
    )
    shares = [f"{rate / 2:.0f} | 0.50 | ", f"{rate / 4:.0f} | 0.25 | "] if counted else ["", ""]
    columns, _, *lines = found.splitlines()[-4:]
    assert lines == [
        f"| tfgen 0 | 1000.0 | {shares[0]}1.00 |",
        f"| peer 1 | 2000.0 | {shares[1]}2.00 |",
    ]
    assert columns.count("|") == lines[0].count("|")
