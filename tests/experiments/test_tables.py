"""Tests of the plan of the tables: which runs, and by which flags; no training here."""

import pathlib

import pytest
from support import command_line

from experiments import runs, table_plan, tables
from trainers import evaluate
from trainers.run.metrics import Metrics

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


def plan(
    name="digits", seeds=("0", "1"), patterns=("P.5", "B20"), root=pathlib.Path("runs"), **options
):
    """Returns all runs of a data set."""
    return list(table_plan.plan_of(root, name, list(seeds), list(patterns), **options))


def test_every_model_is_trained_once_with_each_seed_and_each_pattern():
    names = [run.workdir.name for run in plan()]
    assert len(set(names)) == len(names) == 11 * 2 + 3 * 2
    some = {"divergence_triangle-0", "vae-1", "wgan-1", "ali-0", "vae-P.5", "abp-B20"}
    assert some < set(names)


@pytest.mark.parametrize("name", table_plan.DATA)
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


@pytest.mark.parametrize("name", table_plan.DATA)
def test_the_classifier_of_a_data_set_is_one(name):
    flagfile = f"--flagfile={runs.FLAGFILES / table_plan.DATA[name].classifier}.flags"
    assert command_line.values("trainers.main", flagfile).algorithm == "classifier"


@pytest.mark.parametrize("name", table_plan.DATA)
def test_all_models_have_the_nets_rates_and_averages_of_the_recipe(name):
    """A discriminator has the energy's width, hidden layer, rate and average."""
    triangle, *others = (
        command_line.values("trainers.main", *run.training)
        for run in plan(name, seeds=["0"], patterns=[])
    )
    for values in others:
        shared = ("nets", "dataset", "batch_size", "steps", "generator.width", "generator.ema")
        assert all(values[flag].value == triangle[flag].value for flag in shared)
        role = table_plan.OTHER_ROLES.get(values.algorithm)
        for flag in table_plan.LIKE_ENERGY if role else ():
            if f"energy.{flag}" in triangle and triangle[f"energy.{flag}"].present:
                assert values[f"{role}.{flag}"].value == triangle[f"energy.{flag}"].value
        if role == "joint_discriminator":
            latents = (values[f"{r}.latent_dim"].value for r in (role, "generator"))
            assert len(set(latents)) == 1


def test_models_with_a_sigma_are_trained_with_several():
    runs_of = {run.workdir.name: run for run in plan(seeds=["1"], patterns=[], sigmas=["0.5"])}
    swept = {name.partition("@")[0] for name in runs_of if "@" in name}
    assert swept == set(table_plan.WITH_SIGMA)
    values = command_line.values("trainers.main", *runs_of["alice@0.5-1"].training)
    assert values["alice.sigma"].value == 0.5
    assert len(runs_of) == len(table_plan.WHOLE) + len(table_plan.WITH_SIGMA)


def test_a_reduced_length_is_that_of_all_runs():
    for run in plan(seeds=["0"], patterns=["P.5"], steps=7):
        assert command_line.values("trainers.main", *run.training).steps == 7


def test_runs_of_equal_time_make_as_many_updates_as_the_triangles_time_allows(tmp_path, leave_run):
    """The triangle takes 2 s an update here, and the other model 8 s."""
    whole = plan(root=tmp_path, seeds=["0"], patterns=[], steps=40)
    whole = [run for run in whole if run.workdir.name in ("divergence_triangle-0", "wgan-0")]
    for run, seconds in zip(whole, (20.0, 80.0), strict=True):
        leave_run(run.workdir, run.training)
        for step in (10, 20, 30):
            late = {"seconds": seconds if step > 10 else 1e3}  # the first traces
            Metrics(run.workdir / "metrics.jsonl").append("train", step, late)
    (timed,) = table_plan.timed_plan_of(whole)
    assert timed.workdir.name == "wgan~time-0"
    assert command_line.values("trainers.main", *timed.training).steps == 10
    assert not table_plan.is_own(timed.workdir)


def test_images_are_compared_by_the_features_of_the_exported_classifier(tmp_path, calls):
    data = table_plan.DATA["digits"]
    tables.export_classifier(tmp_path, data)
    modules = [command[0] for command in calls]
    assert modules == ["trainers.main", "trainers.evaluate", "export.main"]
    assert f"--output={tmp_path / data.classifier}" in calls[-1]
    features = table_plan.features_of(tmp_path, data)
    assert features.is_relative_to(tmp_path / data.classifier)
    measuring = plan(root=tmp_path)[0].measuring
    assert all(f"--{metric}.features={features}" in measuring for metric in table_plan.ON_FEATURES)
    features.mkdir(parents=True)
    tables.export_classifier(tmp_path, data)
    assert len(calls) == 3


def test_equal_time_is_the_triangles(calls):
    asked = ["--timed", "--models=vae,dcgan"]
    sentence = command_line.mistake("experiments.tables", *asked)
    assert "--timed" in sentence
    assert "divergence_triangle" in sentence
    assert calls == []


def test_unknown_data_are_refused_before_anything_is_trained(tmp_path, calls):
    asked = ["--data=digits,minst", f"--runs={tmp_path}"]
    sentence = command_line.mistake("experiments.tables", *asked)
    assert "--data" in sentence
    assert "minst" in sentence
    assert calls == []
