"""The plan of the textures' table and its sheets; no training here."""

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
    assert {(v.dataset, tuple(v.image_size), v.seed) for v in trained} == {
        (textures.TEXTURES[texture], ("128",), 0)
    }
    assert len({tuple(run.measuring) for run in plan.values()}) == 1
    for run in plan.values():
        command_line.values(
            "trainers.evaluate", f"--metrics={','.join(run.metrics)}", *run.measuring
        )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_shows_the_picture_and_each_sample(monkeypatch, tmp_path, channels):
    """Grey pictures come from their files without a last axis."""
    picture = np.full((1, 64, 64, channels), -1, np.float32)
    plan = {(model, "brick"): run for model, run in textures.plan_of(tmp_path, "brick")}
    monkeypatch.setattr(textures, "training_picture", lambda _: picture)
    for level, run in enumerate(plan.values()):
        run.workdir.mkdir(parents=True)
        iio.imwrite(
            run.workdir / "sample.png", np.full((64, 64, channels), 50 * level, np.uint8).squeeze()
        )
    name, models = textures.draw(tmp_path, "brick", tmp_path, plan)
    assert models == list(textures.MODELS)
    assert {50 * level for level in range(len(plan))} <= set(np.unique(iio.imread(tmp_path / name)))


@pytest.fixture
def runs(monkeypatch, tmp_path) -> pathlib.Path:
    """Of pebbles all that INNg and the generative ConvNet would leave."""
    monkeypatch.setattr(
        textures, "training_picture", lambda _: np.zeros((1, 64, 64, 3), np.float32)
    )
    plan = dict(textures.plan_of(tmp_path, "pebbles"))
    for model, value in {"INNg": 0.25, "generative ConvNet": 0.5}.items():
        metrics = Metrics(plan[model].workdir / "metrics.jsonl")
        for name in ("samples", "phase_noise"):
            metrics.append(
                "evaluation",
                1,
                {"metric": f"sliced_wasserstein/{name}", "value": value, "protocol": {}},
            )
        iio.imwrite(plan[model].workdir / "sample.png", np.zeros((64, 64, 3), np.uint8))
    return tmp_path


def test_models_that_were_not_measured_are_left_out(runs):
    command_line.start(
        "experiments.textures",
        "--notrain",
        f"--runs={runs}",
        f"--output={runs / 'page.md'}",
        "--textures=pebbles",
    )
    page = (runs / "page.md").read_text()
    assert "| INNg | 0.2 |" in page
    assert "| generative ConvNet | 0.5 |" in page
    assert "a sample of INNg; generative ConvNet." in page
    assert "INNg-single" not in page


def test_a_texture_that_was_never_learned_is_refused(runs):
    asked = [
        "--notrain",
        f"--runs={runs}",
        f"--output={runs / 'page.md'}",
        "--textures=pebbles,bark",
    ]
    assert "--textures: expected INNg to be measured on bark" in command_line.mistake(
        "experiments.textures", *asked
    )
