"""The guard: a run that diverges goes back, goes slower, and gives up after three times."""

import contextlib
import math
import shutil
import signal
import types

import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import (
    TOY,
    Recorder,
    content,
    mistake,
    numbers,
    rows,
    same_numbers,
    spawned,
)

from trainers import main
from trainers.run import callbacks, checkpoints
from trainers.run.metrics import Metrics

HOPELESS = (*TOY, "--steps=40", "--energy.optimizer=sgd", "--energy.learning_rate=1e30")
"""Diverges whenever it starts, also at an eighth of the rate."""

MENDED = (
    *TOY,
    "--steps=8",
    "--energy.optimizer=sgd",
    "--energy.learning_rate=1e30",
    "--guard_rate=1e-33",
)
"""Diverges once, and trains at the lowered rate."""


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory):
    """Returns the directory of a run that gave up, and its sentence."""
    workdir = tmp_path_factory.mktemp("hopeless") / "run"
    return workdir, mistake("trainers.main", *HOPELESS, f"--workdir={workdir}")


@pytest.fixture(scope="module")
def mended(tmp_path_factory):
    """Returns the directory of a run that diverged once, and copies of it.

    A copy is what a kill would have left at one moment of the roll-back.
    """
    workdir = tmp_path_factory.mktemp("mended") / "run"
    copies = workdir.with_name("copies")
    roll_back = main.roll_back

    def recorded(*args):
        with Recorder(workdir, copies):
            roll_back(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "roll_back", recorded)
        command_line.train(workdir, *MENDED)
    return workdir, sorted(copies.iterdir(), key=lambda d: int(d.name))


def test_a_hopeless_run_stops_with_one_sentence_after_three_divergences(hopeless):
    _, sentence = hopeless
    assert "diverged 3 times" in sentence
    assert "learning rate" in sentence


def test_a_hopeless_run_tells_of_each_divergence_in_its_metrics(hopeless):
    workdir, _ = hopeless
    told = rows(workdir, "guard")
    assert [row["times"] for row in told] == [1, 2, 3]
    assert [row["rate_factor"] for row in told] == [0.5, 0.25, 0.125]
    assert all(row["rolled_back_to"] == 0 and row["reason"] and row["step"] > 0 for row in told)


def test_a_hopeless_run_leaves_its_last_good_checkpoint_whole(hopeless):
    workdir, _ = hopeless
    assert checkpoints.steps(workdir / "checkpoints") == [0]
    for name, value in numbers(workdir).items():
        assert np.isfinite(value).all(), name


def test_no_row_of_a_diverged_interval_stays(hopeless):
    workdir, _ = hopeless
    assert all(math.isfinite(row["energy_gap"]) for row in rows(workdir, "train"))


def test_a_run_that_gave_up_gives_up_again_at_its_next_divergence(hopeless, tmp_path):
    workdir = shutil.copytree(hopeless[0], tmp_path / "run")
    mistake("trainers.main", *HOPELESS, f"--workdir={workdir}")
    assert [row["times"] for row in rows(workdir, "guard")] == [1, 2, 3, 4]


def test_a_lowered_rate_mends_a_run(mended):
    workdir, _ = mended
    assert [row["times"] for row in rows(workdir, "guard")] == [1]
    assert [row["step"] for row in rows(workdir, "train")] == [2, 4, 6, 8]
    for row in rows(workdir, "train")[:-1]:
        assert row["energy_learning_rate"] == pytest.approx(1e-3, rel=1e-3)


def test_a_resumed_run_keeps_the_lowered_rate(mended, tmp_path):
    workdir = shutil.copytree(mended[0], tmp_path / "run")
    command_line.train(workdir, *MENDED, "--steps=12")
    assert rows(workdir, "train")[-2]["energy_learning_rate"] == pytest.approx(1e-3, rel=1e-3)
    assert len(rows(workdir, "guard")) == 1


def test_a_kill_at_any_moment_of_a_rollback_leaves_a_checkpoint(mended):
    _, moments = mended
    assert moments
    for moment in moments:
        found = checkpoints.steps(moment / "checkpoints")
        assert found, f"at moment {moment.name} there is no checkpoint: {sorted(content(moment))}"
        reader = tf.train.load_checkpoint(
            str(moment / "checkpoints" / f"step-{found[-1]:010d}" / "state")
        )
        for name, shape in reader.get_variable_to_shape_map().items():
            assert reader.get_tensor(name) is not None, (name, shape)


@pytest.mark.slow
def test_a_kill_at_any_moment_of_a_rollback_changes_nothing(mended):
    workdir, moments = mended
    for moment in moments:
        command_line.train(moment, *MENDED)
        assert same_numbers(moment, workdir), moment.name
        assert len(rows(moment, "guard")) == 1, moment.name


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(1, id="at its first file", marks=pytest.mark.slow),
        pytest.param(4, id="at a later one"),
        pytest.param(1000, id="at its end", marks=pytest.mark.slow),
    ],
)
def test_a_rollback_that_is_killed_is_counted_once(mended, tmp_path, moment):
    run = ("trainers.main", *MENDED, f"--workdir={tmp_path / 'run'}")
    assert spawned(*run, log=tmp_path / "log", trap=("roll_back", "", moment)) == -signal.SIGKILL
    assert spawned(*run, log=tmp_path / "log") == 0, (tmp_path / "log").read_text()
    assert [row["times"] for row in rows(tmp_path / "run", "guard")] == [1]
    assert same_numbers(tmp_path / "run", mended[0])


@pytest.fixture
def guarded(tmp_path):
    """Returns a guard over the metrics of a run whose gaps and norms were all about 1."""
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in range(30):
        values = {
            "energy_data": 5.0,
            "energy_gap": (-1.0) ** step,
            "weight_grad_norm": 1.0,
            "langevin_grad_norm": 1.0,
        }
        metrics.append("train", step, values)
    algorithm = types.SimpleNamespace(num_updates=31, last_growth=0)
    return callbacks.Guard(types.SimpleNamespace(metrics=metrics, algorithm=algorithm), 1e3)


USUAL = {"energy_data": 5.0, "energy_gap": 1.0, "weight_grad_norm": 1.0, "langevin_grad_norm": 1.0}


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_logged_number_that_is_not_finite_is_a_divergence(guarded, name, value):
    with pytest.raises(callbacks.DivergedError, match=name) as caught:
        guarded.on_epoch_end(0, USUAL | {name: value})
    assert caught.value.step == 31


@pytest.mark.parametrize("name", ["energy_gap", "weight_grad_norm", "langevin_grad_norm"])
@pytest.mark.parametrize("value", [1001.0, -1001.0])
def test_a_gap_or_norm_that_runs_away_is_a_divergence(guarded, name, value):
    with pytest.raises(callbacks.DivergedError, match=f"{name}.*usually about 1"):
        guarded.on_epoch_end(0, USUAL | {name: value})


@pytest.mark.parametrize("name", ["energy_gap", "weight_grad_norm", "langevin_grad_norm"])
@pytest.mark.parametrize("value", [999.0, -999.0, 0.0])
def test_a_gap_or_norm_that_merely_jumps_is_not(guarded, name, value):
    guarded.on_epoch_end(0, USUAL | {name: value})


def test_an_energy_may_be_as_large_as_it_likes(guarded):
    guarded.on_epoch_end(0, USUAL | {"energy_data": 1e9})


def test_a_run_too_young_to_have_usual_sizes_is_watched_for_nan_alone(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    algorithm = types.SimpleNamespace(num_updates=2, last_growth=0)
    guard = callbacks.Guard(types.SimpleNamespace(metrics=metrics, algorithm=algorithm), 1e3)
    guard.on_epoch_end(0, USUAL | {"energy_gap": 1e8})
    with pytest.raises(callbacks.DivergedError):
        guard.on_epoch_end(0, USUAL | {"energy_gap": math.nan})


@pytest.mark.parametrize(("last_growth", "is_judged"), [(9, True), (10, False), (29, False)])
def test_a_number_is_compared_with_those_of_the_same_nets(guarded, last_growth, is_judged):
    guarded.experiment.algorithm.last_growth = last_growth
    outcome = pytest.raises(callbacks.DivergedError) if is_judged else contextlib.nullcontext()
    with outcome:
        guarded.on_epoch_end(0, USUAL | {"energy_gap": 1e8})
    with pytest.raises(callbacks.DivergedError):
        guarded.on_epoch_end(0, USUAL | {"energy_gap": math.nan})


def test_a_runaway_in_a_run_rolls_it_back(toy, monkeypatch):
    monkeypatch.setattr(callbacks, "HISTORY", 2)  # as many rows as the run has
    sentence = mistake(
        "trainers.main",
        *TOY,
        "--energy.ema=0.5",
        "--steps=6",
        "--guard_factor=1",
        f"--workdir={toy}",
        "--guard_rollbacks=1",
    )
    assert "usually about" in sentence
    assert rows(toy, "guard")[0]["rolled_back_to"] == 4
