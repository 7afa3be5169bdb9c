"""Tests of runs: what was done is not done again, what was not is; no training here."""

import pathlib
import subprocess

import pytest

from experiments import runs
from experiments.runs import Run
from tfgen.errors import UserError
from trainers.run.metrics import Metrics


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, ...]]:
    """The commands that would have been run."""
    found = []
    monkeypatch.setattr(runs, "call", lambda *command: found.append(command))
    return found


@pytest.fixture
def run(tmp_path) -> Run:
    """A run of 3000 updates that was not begun."""
    flagfile = "--flagfile=trainers/flagfiles/divergence_triangle_digits_cpu.flags"
    metrics = ["fid", "kid", "reconstruction"]
    return Run(tmp_path / "run", [flagfile, "--steps=3000"], ["--fid.num_images=9"], metrics)


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(pathlib.Path(__file__).parents[2])


@pytest.fixture
def finished(run, leave_run):
    """Leaves what training to a step and measuring would."""

    def leave(*metrics: str, step: int = 3000) -> None:
        leave_run(run.workdir, run.training, [step])
        for metric in metrics:
            row = {"metric": f"{metric}/value", "value": 1.0, "protocol": {}}
            Metrics(run.workdir / "metrics.jsonl").append("evaluation", step, row)

    return leave


def test_a_new_run_is_trained_and_measured(run, calls):
    runs.carry_out(run)
    workdir = f"--workdir={run.workdir}"
    assert calls == [
        ("trainers.main", *run.training, workdir),
        ("trainers.evaluate", workdir, "--metrics=fid,kid,reconstruction", *run.measuring),
    ]


def test_a_run_that_stopped_halfway_goes_on(run, finished, calls):
    finished(step=1500)
    runs.carry_out(run)
    assert [command[0] for command in calls] == ["trainers.main", "trainers.evaluate"]


def test_a_run_that_was_killed_while_it_was_set_up_goes_on(run, finished, calls):
    finished()
    (run.workdir / "run.json").unlink()
    runs.carry_out(run)
    assert [command[0] for command in calls] == ["trainers.main", "trainers.evaluate"]


def test_of_a_finished_run_only_what_was_not_measured_is(run, finished, calls):
    finished("fid", "reconstruction")
    runs.carry_out(run)
    ((module, _, metrics, *_),) = calls
    assert (module, metrics) == ("trainers.evaluate", "--metrics=kid")


def test_of_a_run_with_all_its_measurements_nothing_is_done(run, finished, calls):
    finished(*run.metrics)
    runs.carry_out(run)
    assert calls == []


def test_a_command_that_fails_is_told_with_its_last_words(monkeypatch):
    said = "warning: of something\nerror: --steps: too many\n"
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    sentence = r"trainers.main --steps=9 failed: error: --steps: too many"
    with pytest.raises(UserError, match=sentence):
        runs.call("trainers.main", "--steps=9")
