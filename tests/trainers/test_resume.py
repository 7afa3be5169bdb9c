"""A killed run ends with the weights of one that nobody killed.

The kills come at any moment, and more than once.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from support import command_line
from support.command_line import (
    DIGITS,
    content,
    final_weights,
    rows,
    same_numbers,
    spawned,
)

pytestmark = pytest.mark.eager

ROOT = pathlib.Path(__file__).parents[2]

RUN = (
    *DIGITS,
    "--steps=12",
    "--log_every=2",
    "--save_every=4",
    "--sample_every=6",
    "--keep=2",
    "--energy.ema=0.9",  # beside Adam's moments
    "--energy.constant_fraction=0.5",
    "--generative_convnet.layer_iterations=6",  # the second layer comes at step 6
    "--generative_convnet.rejuvenation=0.2",
    "--generative_convnet.data_noise=0.1",
)

KILLS = (
    ("os.rename", "step-0000000000", 1),  # at the first checkpoint
    ("batch", "", 3),  # between a logged row and the first checkpoint of a trained net
    ("open", "writing-", 2),  # while the checkpoint of step 4 is written
    ("open", "metrics.jsonl", 7),  # as the row of step 2 is logged
    ("shutil.rmtree", "step-0000000000", 1),  # with the checkpoint of step 8 in place
    ("batch", "", 9),
    ("os.rename", "step-0000000012", 1),  # at the last moment
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> pathlib.Path:
    """Returns the work directory of a run that nobody kills."""
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert spawned("trainers.main", *RUN, f"--workdir={workdir}", log=workdir.with_name("log")) == 0
    return workdir


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> pathlib.Path:
    """Returns that of the same run, killed at each of `KILLS` in turn, then left to end."""
    workdir = tmp_path_factory.mktemp("killed") / "run"
    log = workdir.with_name("log")
    for kill in KILLS:
        code = spawned("trainers.main", *RUN, f"--workdir={workdir}", log=log, traps=[kill])
        assert code == -signal.SIGKILL, (kill, log.read_text())
    assert spawned("trainers.main", *RUN, f"--workdir={workdir}", log=log) == 0, log.read_text()
    return workdir


def test_a_run_killed_many_times_ends_with_the_same_weights_bit_for_bit(uninterrupted, killed):
    assert final_weights(killed) == final_weights(uninterrupted)


def test_a_run_killed_many_times_logs_each_step_once(uninterrupted, killed):
    assert [row["step"] for row in rows(killed, "train")] == [2, 4, 6, 8, 10, 12]
    for ours, theirs in zip(rows(killed, "train"), rows(uninterrupted, "train"), strict=True):
        for name in ("energy_data", "energy_gap", "weight_grad_norm", "energy_learning_rate"):
            assert ours[name] == theirs[name], (ours["step"], name)


def test_a_run_killed_many_times_leaves_the_same_files(uninterrupted, killed):
    def names(workdir):
        return [name for name in content(workdir) if not name.startswith("tensorboard")]

    assert names(killed) == names(uninterrupted)
    for name in names(killed):
        if name.endswith(".png"):
            assert (killed / name).read_bytes() == (uninterrupted / name).read_bytes()


@pytest.mark.slow
def test_another_seed_ends_with_other_weights(uninterrupted, tmp_path):
    log = tmp_path / "log"
    assert spawned("trainers.main", *RUN, "--seed=1", f"--workdir={tmp_path / 'run'}", log=log) == 0
    assert len(final_weights(tmp_path / "run")) == len(final_weights(uninterrupted))
    assert final_weights(tmp_path / "run") != final_weights(uninterrupted)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("data.json", marks=pytest.mark.slow),
        pytest.param("flags.cfg", marks=pytest.mark.slow),
        "run.json",  # the last that is written, which makes the directory a run's
    ],
)
def test_a_kill_while_the_work_directory_is_claimed_changes_nothing(uninterrupted, tmp_path, file):
    run = ("trainers.main", *RUN, f"--workdir={tmp_path / 'run'}")
    assert spawned(*run, log=tmp_path / "log", traps=[("os.rename", file, 1)]) == -signal.SIGKILL
    assert spawned(*run, log=tmp_path / "log") == 0, (tmp_path / "log").read_text()
    assert final_weights(tmp_path / "run") == final_weights(uninterrupted)


@pytest.mark.parametrize("step", [5, 6, 7])
@pytest.mark.slow
def test_a_kill_beside_the_step_that_adds_a_layer_changes_nothing(uninterrupted, tmp_path, step):
    run = ("trainers.main", *RUN, "--save_every=2", f"--workdir={tmp_path / 'run'}")
    assert spawned(*run, log=tmp_path / "log", traps=[("batch", "", step)]) == -signal.SIGKILL
    assert spawned(*run, log=tmp_path / "log") == 0
    assert final_weights(tmp_path / "run") == final_weights(uninterrupted)


@pytest.mark.slow
def test_the_same_command_in_a_fresh_process_goes_on_after_kills_from_outside(
    uninterrupted, tmp_path
):
    workdir = tmp_path / "run"
    command = [sys.executable, "-m", "trainers.main", *RUN, f"--workdir={workdir}"]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    wait_for_step(process, workdir, 4)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert final_weights(workdir) == final_weights(uninterrupted)


def wait_for_step(process: subprocess.Popen, workdir: pathlib.Path, step: int) -> None:
    """Waits until a row of the step is in metrics.jsonl."""
    for _ in range(6000):
        path = workdir / "metrics.jsonl"
        if path.exists() and f'"step": {step},' in path.read_text():
            return
        assert process.poll() is None, "the command ended before it could be killed"
        time.sleep(0.02)
    raise AssertionError("the command hangs")


def test_a_cut_last_line_of_metrics_is_repaired(toy):
    path = toy / "metrics.jsonl"
    whole = path.read_text()
    path.write_text(whole + whole[:40])
    command_line.train(toy, *command_line.TOY, "--energy.ema=0.5", "--steps=6")
    assert [row["step"] for row in rows(toy, "train")] == [2, 4, 6]
    assert path.read_text().startswith(whole)


def test_rows_after_the_newest_checkpoint_are_made_again(toy):
    with (toy / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "train", "step": 6, "energy_gap": 123456.0}) + "\n")
    command_line.train(toy, *command_line.TOY, "--energy.ema=0.5", "--steps=6")
    assert [row["step"] for row in rows(toy, "train")] == [2, 4, 6]
    assert rows(toy, "train")[-1]["energy_gap"] != 123456.0


def test_a_half_written_checkpoint_is_ignored_and_cleared_away(toy):
    half = toy / "checkpoints" / f"writing-{os.getpid()}"
    half.mkdir()
    (half / "state.index").write_bytes(b"half")
    command_line.train(toy, *command_line.TOY, "--energy.ema=0.5", "--steps=6")
    assert sorted(p.name for p in (toy / "checkpoints").iterdir()) == [
        "step-0000000000",
        "step-0000000004",
        "step-0000000006",
    ]


def test_a_finished_run_run_again_changes_no_weights_and_no_rows(toy):
    before = content(toy)
    command_line.train(toy, *command_line.TOY, "--energy.ema=0.5")
    after = content(toy)
    assert after["metrics.jsonl"] == before["metrics.jsonl"]
    assert {n: b for n, b in after.items() if "step-" in n} == {
        n: b for n, b in before.items() if "step-" in n
    }


def test_more_steps_go_on_from_the_end_and_equal_a_longer_run(toy, tmp_path):
    longer = tmp_path / "longer"
    command_line.train(longer, *command_line.TOY, "--energy.ema=0.5", "--steps=7")
    command_line.train(toy, *command_line.TOY, "--energy.ema=0.5", "--steps=7")
    assert same_numbers(toy, longer)
    assert [row["step"] for row in rows(toy, "train")] == [2, 4, 6, 7]


def test_the_flags_file_of_a_run_makes_the_same_run_elsewhere(trained_toy, tmp_path):
    again = tmp_path / "again"
    command_line.train(again, f"--flagfile={trained_toy / 'flags.cfg'}")
    assert same_numbers(again, trained_toy)
    ours, theirs = ((d / "flags.cfg").read_text().splitlines() for d in (again, trained_toy))
    # a comment holds a hash of the other lines
    ours, theirs = ([x for x in lines if not x.startswith("#")] for lines in (ours, theirs))
    assert [line for line in ours if "workdir" not in line] == [
        line for line in theirs if "workdir" not in line
    ]


def test_a_run_may_be_moved(toy, tmp_path):
    moved = pathlib.Path(shutil.move(toy, tmp_path / "moved"))
    command_line.train(moved, *command_line.TOY, "--energy.ema=0.5", "--steps=6")
    assert [row["step"] for row in rows(moved, "train")] == [2, 4, 6]
