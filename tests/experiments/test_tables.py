"""The plan of the tables: which runs, by which flags, and that nothing is done twice; no training here."""

import pathlib
import subprocess

import pytest
from support import command_line

from experiments import tables
from tfgen.errors import UserError
from trainers import evaluate
from trainers.run.metrics import Metrics

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(ROOT)


def plan(name="digits", seeds=("0", "1"), patterns=("P.5", "B20"), runs=pathlib.Path("runs")):
    """All runs of a data set."""
    return list(tables.plan_of(runs, name, list(seeds), list(patterns)))


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, ...]]:
    """The commands that would have been run."""
    found = []
    monkeypatch.setattr(tables, "call", lambda *command: found.append(command))
    return found


def test_every_model_is_trained_once_with_each_seed_and_each_pattern():
    names = [run.workdir.name for run in plan()]
    assert len(set(names)) == len(names) == 4 * 2 + 3 * 2
    assert {"divergence_triangle-0", "vae-1", "wake_sleep-1", "abp-0", "vae-P.5", "abp-B20"} < set(
        names
    )


@pytest.mark.parametrize("name", tables.DATA)
def test_every_command_of_the_plan_is_one(name):
    """Flags parse, and say the model, the seed and what is missing; nothing else differs within a table."""
    for run in plan(name, seeds=["1"], patterns=["MB10"]):
        values = command_line.values("trainers.main", *run.training)
        model, _, which = run.workdir.name.partition("-")
        assert values.algorithm == model
        assert (str(values.seed), values.missing) == (
            (which, None) if which.isdigit() else ("0", which)
        )
        assert values.test_fraction == (0.1 if which.isdigit() else 0)
        measured = command_line.values(
            "trainers.evaluate", f"--metrics={','.join(run.metrics)}", *run.measuring
        )
        assert set(measured.metrics) <= evaluate.measurements().keys()


@pytest.mark.parametrize("name", tables.DATA)
def test_the_classifier_of_a_data_set_is_one(name):
    values = command_line.values(
        "trainers.main", f"--flagfile={tables.FLAGFILES / tables.DATA[name].classifier}.flags"
    )
    assert values.algorithm == "classifier"


def test_images_are_compared_by_the_features_of_the_exported_classifier(tmp_path, calls):
    data = tables.DATA["digits"]
    tables.export_classifier(tmp_path, data)
    assert [command[0] for command in calls] == [
        "trainers.main",
        "trainers.evaluate",
        "export.main",
    ]
    assert f"--output={tmp_path / data.classifier}" in calls[-1]
    features = tables.features_of(tmp_path, data)
    assert features.is_relative_to(tmp_path / data.classifier)
    assert all(
        f"--{m}.features={features}" in plan(runs=tmp_path)[0].measuring
        for m in ("fid", "kid", "precision_recall")
    )
    features.mkdir(parents=True)
    tables.export_classifier(tmp_path, data)
    assert len(calls) == 3


def finished(run, *metrics, step=3000):
    """Leaves what training to a step and measuring would."""
    run.workdir.mkdir(parents=True)
    (run.workdir / "flags.cfg").write_text("\n".join([*run.training, "--steps=3000"]))
    (run.workdir / "checkpoints" / f"step-{step:010d}").mkdir(parents=True)
    (run.workdir / "checkpoints" / f"step-{step:010d}" / "state.index").write_bytes(b"")
    for metric in metrics:
        row = {"metric": f"{metric}/value", "value": 1.0, "protocol": {}}
        Metrics(run.workdir / "metrics.jsonl").append("evaluation", step, row)


def test_a_new_run_is_trained_and_measured(tmp_path, calls):
    run = plan(runs=tmp_path)[0]
    tables.carry_out(run)
    trained, measured = calls
    assert trained == ("trainers.main", *run.training, f"--workdir={run.workdir}")
    assert measured[:3] == (
        "trainers.evaluate",
        f"--workdir={run.workdir}",
        f"--metrics={','.join(run.metrics)}",
    )


def test_a_run_that_stopped_halfway_goes_on(tmp_path, calls):
    run = plan(runs=tmp_path)[0]
    finished(run, step=1500)
    tables.carry_out(run)
    assert [command[0] for command in calls] == ["trainers.main", "trainers.evaluate"]


def test_of_a_finished_run_only_what_was_not_measured_is(tmp_path, calls):
    run = plan(runs=tmp_path)[0]
    finished(run, "fid", "reconstruction")
    tables.carry_out(run)
    ((module, _, metrics, *_),) = calls
    assert (module, metrics) == ("trainers.evaluate", "--metrics=kid,precision_recall")


def test_of_a_run_with_all_its_measurements_nothing_is_done(tmp_path, calls):
    run = plan(runs=tmp_path)[-1]
    finished(run, *run.metrics)
    tables.carry_out(run)
    assert calls == []


def test_a_command_that_fails_is_said_with_its_last_words(monkeypatch):
    failed = subprocess.CompletedProcess(
        [], 1, "", "warning: of something\nerror: --steps: too many\n"
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(
        UserError, match=r"trainers.main --steps=9 failed: error: --steps: too many"
    ):
        tables.call("trainers.main", "--steps=9")


def test_unknown_data_are_refused_before_anything_is_trained(tmp_path, calls):
    sentence = command_line.mistake(
        "experiments.tables", "--data=digits,minst", f"--runs={tmp_path}"
    )
    assert "--data" in sentence
    assert "minst" in sentence
    assert calls == []
