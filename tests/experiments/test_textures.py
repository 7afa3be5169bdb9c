"""Tests of the textures' plan, table and sheets; no training here."""

import pathlib

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line

from experiments import textures
from trainers.run.metrics import Metrics

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch):
    """Flagfiles are named from there."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("texture", textures.TEXTURES)
def test_all_models_see_one_picture_and_are_measured_alike(texture):
    plan = dict(textures.plan_of(pathlib.Path("runs"), texture))
    assert plan.keys() == textures.MODELS.keys()
    assert len({run.workdir for run in plan.values()}) == len(plan)
    trained = [command_line.values("trainers.main", *run.training) for run in plan.values()]
    seen = {(values.dataset, tuple(values.image_size), values.seed) for values in trained}
    assert seen == {(textures.TEXTURES[texture], ("128",), 0)}
    assert len({tuple(run.measuring) for run in plan.values()}) == 1
    for run in plan.values():
        metrics = f"--metrics={','.join(run.metrics)}"
        command_line.values("trainers.evaluate", metrics, *run.measuring)


def test_a_picture_is_at_no_distance_from_itself_and_near_to_its_own_kind():
    """Noise of the picture's colours is farther away than the picture turned around."""
    rng = np.random.default_rng(0)
    columns = np.sin(np.arange(64) / 3) * np.ones((64, 1))
    picture = columns.astype(np.float32)[None, ..., None]
    noise = rng.permutation(picture.ravel()).reshape(picture.shape)
    same, turned = textures.distance(picture, picture), textures.distance(picture, picture[:, ::-1])
    assert same < 1e-6
    assert turned < 0.1 * textures.distance(picture, noise)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_shows_the_picture_and_each_sample(monkeypatch, tmp_path, channels):
    """Grey pictures come from their files without a last axis."""
    picture = np.full((1, 64, 64, channels), -1, np.float32)
    plan = {(model, "brick"): run for model, run in textures.plan_of(tmp_path, "brick")}
    monkeypatch.setattr(textures, "training_picture", lambda _: picture)
    for level, run in enumerate(plan.values()):
        run.workdir.mkdir(parents=True)
        sample = np.full((64, 64, channels), 50 * level, np.uint8).squeeze()
        iio.imwrite(run.workdir / "sample.png", sample)
    sheet = textures.draw(tmp_path, "brick", tmp_path / "results.md", plan)
    assert sheet == ("brick", "images/textures_brick.png", list(textures.MODELS))
    levels = set(np.unique(iio.imread(tmp_path / sheet.link)))
    assert {50 * level for level in range(len(plan))} <= levels


@pytest.fixture
def runs(monkeypatch, tmp_path) -> pathlib.Path:
    """What runs of INNg and the generative ConvNet on pebbles would leave."""
    picture = np.zeros((1, 64, 64, 3), np.float32)
    monkeypatch.setattr(textures, "training_picture", lambda _: picture)
    plan = dict(textures.plan_of(tmp_path, "pebbles"))
    for model, value in {"INNg": 0.25, "generative ConvNet": 0.5}.items():
        metrics = Metrics(plan[model].workdir / "metrics.jsonl")
        for name in ("samples", "phase_noise"):
            row = {"metric": f"sliced_wasserstein/{name}", "value": value, "protocol": {}}
            metrics.append("evaluation", 1, row)
        iio.imwrite(plan[model].workdir / "sample.png", np.zeros((64, 64, 3), np.uint8))
    return tmp_path


def asked(runs: pathlib.Path, names: str) -> list[str]:
    """Returns flags that write a page of some textures."""
    page = f"--output={runs / 'page.md'}"
    return ["--notrain", f"--runs={runs}", page, f"--textures={names}"]


def test_models_that_were_not_measured_are_left_out(runs):
    command_line.start("experiments.textures", *asked(runs, "pebbles"))
    page = (runs / "page.md").read_text()
    assert "| INNg | 0.2 |" in page
    assert "| generative ConvNet | 0.5 |" in page
    assert "a sample of INNg; generative ConvNet." in page
    assert "INNg-single" not in page


def test_a_texture_that_was_never_learned_is_refused(runs):
    sentence = command_line.mistake("experiments.textures", *asked(runs, "pebbles,bark"))
    assert "--textures: expected INNg to be measured on bark" in sentence
