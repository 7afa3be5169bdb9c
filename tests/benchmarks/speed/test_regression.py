"""Tests of the check of speed: shares, the margin, sentences, records of other machines."""

import json

import pytest
from support import command_line

from benchmarks.speed import machine, rates, regression

MODULE = "benchmarks.speed.regression"
INTEL = "model name\t: X\nflags\t\t: fpu sse avx fma avx2 avx512f\n\nflags\t\t: other"
ARM = "Features\t: fp asimd bf16 svebf16\n"


@pytest.fixture
def shares(monkeypatch, tmp_path):
    """Replaces timing: each list holds a workload's shares, of one measurement after another.

    Each workload takes as many operations as the matrix product.
    """
    given: dict[str, list[float]] = {}
    work = rates.Work(None, rates.PRODUCT_OPERATIONS)
    monkeypatch.setattr(regression, "WORKLOADS", {name: lambda: work for name in ("a", "b")})
    monkeypatch.setattr(rates, "matrix_product", lambda dtype: work)

    def interleaved(runs, rounds, clock):
        own = {name: 1 / given[name].pop(0) for name in runs if name != rates.PRODUCT}
        # every second round is slow for all, which a share within a round does not see
        slow = [1 + i % 2 for i in range(rounds)]
        times = {rates.PRODUCT: 1.0} | own
        return {name: [seconds * factor for factor in slow] for name, seconds in times.items()}, 0.0

    monkeypatch.setattr(rates, "interleaved", interleaved)
    return given


def call(tmp_path, *args: str) -> None:
    """Runs the command on a record in a directory of its own."""
    command_line.start(MODULE, f"--ratios={tmp_path / 'r.json'}", "--workloads=a,b", *args)


@pytest.fixture
def recorded(shares, tmp_path):
    """Records shares of 0.8 and 0.4, and returns the shares that follow."""
    shares |= {"a": [0.8], "b": [0.4]}
    call(tmp_path, "--record")
    return shares


def test_the_committed_record_has_a_share_of_every_workload():
    record = regression.read(regression.processes.ROOT / "benchmarks" / "regression.json")
    assert record.shares.keys() == regression.WORKLOADS.keys()


def test_a_share_within_the_margin_ends_well(recorded, tmp_path, capsys):
    recorded |= {"a": [0.61], "b": [0.5]}
    call(tmp_path, f"--page={tmp_path / 'p.md'}")
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[-2:] == ["| a | 0.80 | 0.61 | 0.76 |", "| b | 0.40 | 0.50 | 1.25 |"]
    assert "| a | 0.80 | 0.61 | 0.76 |" in (tmp_path / "p.md").read_text()


def test_each_shortfall_is_a_sentence_and_exit_code_1(recorded, tmp_path):
    recorded |= {"a": [0.5, 0.59], "b": [0.1, 0.05]}
    with pytest.raises(SystemExit) as ended:
        call(tmp_path)
    assert ended.value.code.splitlines() == [
        "a: expected at least 0.60 of the matrix product's rate, 0.80 as recorded less a margin of "
        "0.25 of it, and found 0.59",
        "b: expected at least 0.30 of the matrix product's rate, 0.40 as recorded less a margin of "
        "0.25 of it, and found 0.10",
    ]


def test_a_shortfall_that_does_not_come_again_is_noise(recorded, tmp_path):
    recorded |= {"a": [0.5, 0.75], "b": [0.4]}
    call(tmp_path)
    assert recorded == {"a": [], "b": []}


def test_the_margin_is_the_users(recorded, tmp_path):
    recorded |= {"a": [0.75, 0.75], "b": [0.4]}
    with pytest.raises(SystemExit, match=r"a: expected at least 0\.76"):
        call(tmp_path, "--margin=0.05")


def test_a_record_of_another_kind_of_machine_is_refused(recorded, tmp_path, monkeypatch):
    asked = [MODULE, f"--ratios={tmp_path / 'r.json'}", "--workloads=a"]
    assert "by the clock processor" in command_line.mistake(*asked, "--clock=processor")
    monkeypatch.setattr(machine, "features", lambda cpuinfo: ["avx512f"])
    assert "with avx512f" in command_line.mistake(*asked)


@pytest.mark.parametrize("content", [None, "{", '{"a": 1}', "[]"])
def test_without_a_whole_record_the_sentence_names_it(content, tmp_path):
    if content is not None:
        (tmp_path / "r.json").write_text(content)
    sentence = command_line.mistake(MODULE, f"--ratios={tmp_path / 'r.json'}")
    assert "--ratios: expected" in sentence


def test_a_workload_without_a_share_is_named(recorded, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"shares": {"a": 1.0}}))
    sentence = command_line.mistake(MODULE, f"--ratios={path}", "--workloads=a,b")
    assert "a recorded share of b" in sentence


def test_recording_some_keeps_the_others_of_the_same_machine_alone(recorded, tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    recorded |= {"a": [0.9, 0.9]}
    call(tmp_path, "--record", "--workloads=a")
    assert json.loads(path.read_text())["shares"] == {"a": 0.9, "b": 0.4}
    monkeypatch.setattr(machine, "features", lambda cpuinfo: ["avx512f"])
    call(tmp_path, "--record", "--workloads=a")
    assert json.loads(path.read_text())["shares"] == {"a": 0.9}


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [(INTEL, ["avx", "avx2", "fma", "avx512f"]), (ARM, ["asimd", "bf16"])],
)
def test_features_are_whole_words_of_the_first_processor(cpuinfo, expected):
    assert machine.features(cpuinfo) == expected
    assert machine.features("") == []


@pytest.mark.slow
def test_every_workload_runs():
    for build in regression.WORKLOADS.values():
        work = build()
        work.run()
        assert work.operations > 0
