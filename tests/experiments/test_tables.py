"""Tests of the plan of the tables: which runs, and by which flags; no training here."""

import pathlib

import pytest
from support import command_line

from experiments import runs, tables
from trainers import evaluate

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, ...]]:
    """The commands that would have been run."""
    found = []
    monkeypatch.setattr(runs, "call", lambda *command: found.append(command))
    return found


def plan(name="digits", seeds=("0", "1"), patterns=("P.5", "B20"), root=pathlib.Path("runs")):
    """Returns all runs of a data set."""
    return list(tables.plan_of(root, name, list(seeds), list(patterns)))


def test_every_model_is_trained_once_with_each_seed_and_each_pattern():
    names = [run.workdir.name for run in plan()]
    assert len(set(names)) == len(names) == 4 * 2 + 3 * 2
    some = {"divergence_triangle-0", "vae-1", "wake_sleep-1", "abp-0", "vae-P.5", "abp-B20"}
    assert some < set(names)


@pytest.mark.parametrize("name", tables.DATA)
def test_every_command_of_the_plan_is_one(name):
    """Flags parse, and tell the model, the seed and what is missing; nothing else differs."""
    for run in plan(name, seeds=["1"], patterns=["MB10"]):
        values = command_line.values("trainers.main", *run.training)
        model, _, which = run.workdir.name.partition("-")
        is_whole = which.isdigit()
        assert values.algorithm == model
        assert str(values.seed) == (which if is_whole else "0")
        assert values.missing == (None if is_whole else which)
        assert values.test_fraction == (0.1 if is_whole else 0)
        metrics = f"--metrics={','.join(run.metrics)}"
        measured = command_line.values("trainers.evaluate", metrics, *run.measuring)
        assert set(measured.metrics) <= evaluate.measurements().keys()


@pytest.mark.parametrize("name", tables.DATA)
def test_the_classifier_of_a_data_set_is_one(name):
    flagfile = f"--flagfile={runs.FLAGFILES / tables.DATA[name].classifier}.flags"
    assert command_line.values("trainers.main", flagfile).algorithm == "classifier"


def test_images_are_compared_by_the_features_of_the_exported_classifier(tmp_path, calls):
    data = tables.DATA["digits"]
    tables.export_classifier(tmp_path, data)
    modules = [command[0] for command in calls]
    assert modules == ["trainers.main", "trainers.evaluate", "export.main"]
    assert f"--output={tmp_path / data.classifier}" in calls[-1]
    features = tables.features_of(tmp_path, data)
    assert features.is_relative_to(tmp_path / data.classifier)
    measuring = plan(root=tmp_path)[0].measuring
    assert all(f"--{metric}.features={features}" in measuring for metric in tables.ON_FEATURES)
    features.mkdir(parents=True)
    tables.export_classifier(tmp_path, data)
    assert len(calls) == 3


def test_unknown_data_are_refused_before_anything_is_trained(tmp_path, calls):
    asked = ["--data=digits,minst", f"--runs={tmp_path}"]
    sentence = command_line.mistake("experiments.tables", *asked)
    assert "--data" in sentence
    assert "minst" in sentence
    assert calls == []
