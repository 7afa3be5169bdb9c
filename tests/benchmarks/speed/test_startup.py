"""Tests of watched runs, of starts, and of the data pipelines' work, check and tables."""

import os
import sys
import types

import numpy as np
import pytest
from support import command_line

from benchmarks.speed import data_pipelines, process_memory, startup, watching
from tfgen.errors import UserError

RUN = """
import pathlib, sys, time
workdir = pathlib.Path(sys.argv[1])
workdir.mkdir()
held = []
time.sleep(0.1)
(workdir / "flags.cfg").write_text("")
for step in range(3):
    held.append(b"1" * (30 << 20))
    with (workdir / "metrics.jsonl").open("a") as file:
        file.write("{}\\n")
    print("chatter " * 100000, file=sys.stderr)
    time.sleep(0.3)
"""
"""A run of three rows, 0.3 s apart, much longer than a busy machine takes to look at it."""

ENTRY = """
import time
from benchmarks.peers import contender

def run():
    time.sleep(0.1)
    held.append(b"1" * (20 << 20))

stream, held = contender.answers(), []
time.sleep(0.2)
contender.serve(contender.Entry("1", None, run), stream)
"""
"""A library that holds 20 MiB more after each step."""


def test_a_run_is_seen_at_each_row_it_writes(tmp_path):
    found = watching.watch(tmp_path / "run", sys.executable, "-c", RUN, str(tmp_path / "run"))
    assert len(found.rows) == 3
    assert 0.1 <= found.built <= found.rows[0].seconds
    assert found.rows[0].seconds + 0.4 <= found.rows[2].seconds
    assert 50 < found.rows[2].resident - found.rows[0].resident < 70
    assert all(row.peak >= row.resident > 25 for row in found.rows)


@pytest.mark.parametrize("script", ["raise SystemExit('no such flag')", "print('no such flag')"])
def test_a_run_that_fails_or_writes_nothing_is_named_with_its_last_words(script, tmp_path):
    with pytest.raises(UserError, match="no such flag"):
        watching.watch(tmp_path, sys.executable, "-c", script)


def test_memory_is_that_of_a_living_process():
    own = process_memory.held(os.getpid())
    assert 0 < own.resident <= own.peak
    assert process_memory.held(2**30) == (0, 0)


def test_a_patch_says_which_picture_it_is_from():
    case = data_pipelines.Case("", (5, 8, 8, 3), 4, 2)
    pictures = data_pipelines.work_of(case, 1).arrays["image"]
    assert pictures.shape == case.pictures
    assert pictures.dtype == np.uint8
    assert len(np.unique(pictures.reshape(5, 64, 3), axis=1)[0]) == 1
    assert len({tuple(picture[0, 0]) for picture in pictures}) == 5


@pytest.mark.parametrize("other", [np.zeros((3, 2, 2, 1)), np.full((2, 2, 2, 1), 1e-3)])
def test_other_images_are_refused(other):
    ours = {"image": np.zeros((2, 2, 2, 1))}
    data_pipelines.check({"tfgen": ours, "same": {"image": ours["image"] + 1e-8}})
    with pytest.raises(UserError, match="other: expected tfgen's images"):
        data_pipelines.check({"tfgen": ours, "other": {"image": other}})


def test_growing_memory_is_told_with_its_slope():
    rows = [watching.Seen(0.0, 100.0 + 5 * i, 200.0) for i in range(10)]
    text = startup.memory_table(watching.Watched(1.0, rows), 50)
    assert "| 50 | 100 | 200 |" in text
    assert "| 500 | 145 | 200 |" in text
    assert "grows by 100.00 MiB in 1000 steps, by a line through 10 readings." in text


def test_starts_are_medians():
    starts = [watching.Watched(b, [watching.Seen(2 * b, 0.0, 100 * b)]) for b in (1.0, 3.0, 2.0)]
    table = startup.start_table(starts, {"peer": [startup.Started(1.0, 2.0, 30.0)]})
    assert table.splitlines()[-2:] == [
        "| `trainers.main`, data included | 2.0 | 4.0 | 200 |",
        "| a triangle step: peer | 1.0 | 2.0 | 30 |",
    ]


def test_a_librarys_start_ends_with_its_first_step():
    found = startup.started([sys.executable, "-c", ENTRY])
    assert 0.2 < found.ready < found.first - 0.1
    assert found.peak > 60


def test_pipelines_are_compared_within_a_round():
    table = data_pipelines.table(
        {"x": {"tfgen": [4000.0, 1000.0, 4000.0], "peer": [1000.0, 500.0, 1000.0]}}
    )
    assert table.splitlines()[-2:] == [
        "| x | tfgen | 4,000 | 1.00 |",
        "| x | peer | 1,000 | 4.00 |",
    ]


def test_all_is_measured_and_written(monkeypatch, tmp_path):
    def run(name, steps, every):
        return watching.Watched(1.0, [watching.Seen(2.0, 100.0, 300.0)] * (steps // every))

    entered = {"peer": [startup.Started(1.0, 2.0, 3.0)]}
    reached = {"tfgen": [1.0], "peer": [2.0]}
    monkeypatch.setattr(startup, "run", run)
    monkeypatch.setattr(startup, "entries", lambda values: entered)
    monkeypatch.setattr(data_pipelines, "measured", lambda case, values: reached)
    page = tmp_path / "p.md"
    python = f"--python={sys.executable}"
    command_line.start("benchmarks.speed.startup", python, f"--page={page}", "--steps=3")
    text = page.read_text().replace("-0.00", "0.00")
    assert "| 3 | 100 | 300 |\n| 30 | 100 | 300 |\n\nResident memory grows by 0.00 MiB" in text
    assert text.count("| peer | 2 | 0.50 |") == len(data_pipelines.CASES)


@pytest.mark.slow
def test_tfgens_pipeline_gives_every_picture_once(monkeypatch):
    """It runs in a process of its own; the peers are checked whenever they are timed."""
    monkeypatch.setattr(data_pipelines, "PEERS", {})
    values = types.SimpleNamespace(batches=2, rounds=1, python=sys.executable)
    for patch_size in (None, 4):
        case = data_pipelines.Case("", (6, 8, 8, 1), patch_size, 2)
        assert data_pipelines.measured(case, values)["tfgen"][0] > 0
