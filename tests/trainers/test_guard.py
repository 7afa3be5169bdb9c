"""The guard: a run that diverges goes back, goes slower, and gives up after three times."""

import contextlib
import math
import shutil
import signal
import types

import keras
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
from trainers.run import checkpoints, guard
from trainers.run.metrics import Metrics
from trainers.run.workers import Workers

pytestmark = pytest.mark.eager

HOPELESS = (
    *TOY,
    "--steps=40",
    "--energy.optimizer=sgd",
    "--energy.learning_rate=1e30",
    "--guard_rollbacks=3",
)
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
    assert spawned(*run, log=tmp_path / "log", traps=[("roll_back", "", moment)]) == -signal.SIGKILL
    assert spawned(*run, log=tmp_path / "log") == 0, (tmp_path / "log").read_text()
    assert [row["times"] for row in rows(tmp_path / "run", "guard")] == [1]
    assert same_numbers(tmp_path / "run", mended[0])


VALUES = command_line.values("trainers.main", *TOY)


class Trained:
    """What the guard sees of an algorithm: a weight, chains, and logged numbers."""

    num_updates = 31
    last_growth = 0
    learned = False

    def __init__(self):
        self.weight = keras.Variable([1.0, -2.0])
        self.chains = keras.Variable([0.5])
        self.trainable_variables = [self.weight]
        self.tries = []

    def has_learned(self, logged):
        del logged
        return self.learned

    def retry(self, *given):
        self.tries.append(given)


def watching(tmp_path, count: int, **other) -> guard.Guard:
    """Returns a guard over the metrics of a run whose gaps and norms were all about 1."""
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in range(count):
        values = {**USUAL, "energy_gap": (-1.0) ** step, "largest_weight": 2.0}
        metrics.append("train", step, values | other)
    algorithm = Trained()
    state = {"energy/w": algorithm.weight, "model/chains/x": algorithm.chains}
    found = types.SimpleNamespace(
        workers=Workers(tf.distribute.get_strategy()),
        metrics=metrics,
        algorithm=algorithm,
        state=state,
        schedules=[],
        values=VALUES,
    )
    made = guard.Guard(found, 1e3)
    made.on_train_begin()
    return made


def diverges(watched: guard.Guard, logged: dict) -> bool:
    """Returns whether a guard sees a divergence in the numbers of an interval."""
    try:
        watched.on_epoch_end(0, logged)
    except guard.DivergedError:
        return True
    return False


USUAL = {"energy_data": 5.0, "energy_gap": 1.0, "weight_grad_norm": 1.0, "langevin_grad_norm": 1.0}


@pytest.fixture
def guarded(tmp_path):
    """Returns a guard over the metrics of a run of 30 intervals."""
    return watching(tmp_path, 30)


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_logged_number_that_is_not_finite_is_a_divergence(guarded, name, value):
    with pytest.raises(guard.DivergedError, match=name) as caught:
        guarded.on_epoch_end(0, USUAL | {name: value})
    assert caught.value.step == 31


@pytest.mark.parametrize("name", ["energy_gap", "weight_grad_norm", "langevin_grad_norm"])
@pytest.mark.parametrize("value", [1001.0, -1001.0])
def test_a_gap_or_norm_that_runs_away_is_a_divergence(guarded, name, value):
    with pytest.raises(guard.DivergedError, match=f"{name}.*usually about 1"):
        guarded.on_epoch_end(0, USUAL | {name: value})


@pytest.mark.parametrize("name", ["energy_gap", "weight_grad_norm", "langevin_grad_norm"])
@pytest.mark.parametrize("value", [999.0, -999.0, 1.1e-6])
def test_a_gap_or_norm_that_merely_jumps_is_not(guarded, name, value):
    assert not diverges(guarded, USUAL | {name: value})


@pytest.mark.parametrize("name", ["weight_grad_norm", "langevin_grad_norm"])
@pytest.mark.parametrize("value", [0.0, 0.9e-6])
def test_a_norm_that_vanishes_is_a_collapse(guarded, name, value):
    with pytest.raises(guard.DivergedError, match=f"{name}.*collapsed"):
        guarded.on_epoch_end(0, USUAL | {name: value})


def test_a_gap_of_zero_is_no_collapse(guarded):
    assert not diverges(guarded, USUAL | {"energy_gap": 0.0})


def test_the_gradient_of_a_classifier_that_has_learned_all_may_vanish(guarded):
    vanished = USUAL | {"weight_grad_norm": 0.0}
    guarded.experiment.algorithm.learned = True
    assert not diverges(guarded, vanished)
    guarded.experiment.algorithm.learned = False
    assert diverges(guarded, vanished)


@pytest.mark.parametrize("name", ["energy/w", "model/chains/x"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_state_that_is_not_finite_is_a_divergence(guarded, name, value):
    """The logged numbers are of before the last update, whose outcome nobody has logged."""
    guarded.experiment.state[name].assign(value + 0 * guarded.experiment.state[name].value)
    with pytest.raises(guard.DivergedError, match=f"{name} is not finite") as caught:
        guarded.on_epoch_end(0, USUAL)
    assert caught.value.of_sampler == (name == "model/chains/x")


def test_weights_that_run_away_within_an_interval_are_a_divergence(tmp_path):
    """The first interval of a run has no rows to compare with."""
    young = watching(tmp_path, 0)
    young.experiment.algorithm.weight.assign([1.0, 1900.0])
    young.on_epoch_end(0, USUAL)
    young.experiment.algorithm.weight.assign([1.0, -2e6])
    with pytest.raises(guard.DivergedError, match=r"largest weight is 2e\+06, and was 1900"):
        young.on_epoch_end(1, USUAL)


def test_an_energy_may_be_as_large_as_it_likes(guarded):
    assert not diverges(guarded, USUAL | {"energy_data": 1e9})


@pytest.mark.parametrize(("count", "is_judged"), [(1, False), (5, False), (6, True)])
def test_five_rows_give_a_number_its_usual_size(tmp_path, count, is_judged):
    young = watching(tmp_path, count)
    outcome = pytest.raises(guard.DivergedError) if is_judged else contextlib.nullcontext()
    with outcome:
        young.on_epoch_end(0, USUAL | {"energy_gap": 1e8})
    with pytest.raises(guard.DivergedError):
        young.on_epoch_end(0, USUAL | {"energy_gap": math.nan})


@pytest.mark.parametrize(("last_growth", "is_judged"), [(9, True), (25, False), (29, False)])
def test_a_number_is_compared_with_those_of_the_same_nets(guarded, last_growth, is_judged):
    guarded.experiment.algorithm.last_growth = last_growth
    outcome = pytest.raises(guard.DivergedError) if is_judged else contextlib.nullcontext()
    with outcome:
        guarded.on_epoch_end(0, USUAL | {"energy_gap": 1e8})
    with pytest.raises(guard.DivergedError):
        guarded.on_epoch_end(0, USUAL | {"energy_gap": math.nan})


def test_rows_without_a_number_are_passed_over(tmp_path):
    watched = watching(tmp_path, 10, weight_grad_norm="damaged")
    assert not diverges(watched, USUAL)
    assert diverges(watched, USUAL | {"energy_gap": 1e8})


# what a divergence leads to

RATES = guard.rates_of(VALUES)


def diverged(
    rows: list, step: int, back: int, progress: int = -1, of_sampler: bool = False
) -> dict:
    """Returns the row of a divergence after others, and adds it to them."""
    error = guard.DivergedError(step, "energy_gap is nan", of_sampler)
    found = guard.next_row(rows, VALUES, error, progress, has_sampler=True)
    rows.append({"step": step, "rolled_back_to": back, **found})
    return rows[-1]


def test_divergences_without_progress_are_counted_and_each_halves_the_rates():
    rows: list = []
    found = [diverged(rows, 10 + n % 2, back=8) for n in range(5)]
    assert [row["times"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["rate_factor"] for row in found] == [0.5, 0.25, 0.125, 0.0625, 0.03125]
    # where lower rates alone do not help, the steps of the sampler are shortened too
    assert [row["step_factor"] for row in found] == [1, 1, 1, 0.5, 0.25]


def test_progress_beyond_the_last_divergence_starts_the_count_anew():
    rows: list = []
    assert diverged(rows, 10, back=8)["times"] == 1
    assert diverged(rows, 14, back=8, progress=10)["times"] == 2  # not beyond 10
    assert diverged(rows, 30, back=28, progress=24)["times"] == 1
    assert rows[-1]["rate_factor"] == 0.125  # the rates stay low


def test_steps_alone_are_shortened_where_the_sampler_is_to_blame():
    row = diverged([], 10, back=8, of_sampler=True)
    assert (row["rate_factor"], row["step_factor"]) == (1.0, 0.5)


def test_another_rate_or_step_size_undoes_what_the_guard_did():
    rows: list = []
    diverged(rows, 10, back=8)
    assert guard.verdict(rows, VALUES, 12).rate_factor == 0.5
    for flag in ("--energy.learning_rate=0.02", "--generative_convnet.step_size=0.2"):
        other = command_line.values("trainers.main", *TOY, flag)
        found = guard.verdict(rows, other, 12)
        assert (found.rate_factor, found.step_factor, found.times) == (1.0, 1.0, 0)
        assert found.total == 1  # the noise stays another one


def test_rates_rise_again_after_intervals_without_a_divergence():
    rows: list = []
    diverged(rows, 10, back=8)
    diverged(rows, 10, back=6)
    rest = VALUES.guard_reset * VALUES.log_every
    found = [guard.verdict(rows, VALUES, 6 + n * rest) for n in range(4)]
    assert [v.rate_factor for v in found] == [0.25, 0.5, 1.0, 1.0]
    assert [v.times for v in found] == [2, 0, 0, 0]
    # a rate that was gone back to and failed again is not tried a third time
    row = diverged(rows, 6 + rest + 2, back=6 + rest)
    assert (row["times"], row["rate_factor"], row["ceiling"]) == (1, 0.25, 0.25)
    assert guard.verdict(rows, VALUES, 6 + 9 * rest).rate_factor == 0.25


def test_a_runaway_in_a_run_rolls_it_back(toy, monkeypatch):
    monkeypatch.setattr(guard, "LEAST_HISTORY", 2)  # as many rows as the run has
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
