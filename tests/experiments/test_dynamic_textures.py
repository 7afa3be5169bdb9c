"""The plan and the table of the dynamic textures; no training here."""

import pathlib

import pytest
from support import command_line

from experiments import dynamic_textures
from tfgen.data import npz

ROOT = pathlib.Path(__file__).parents[2]


def test_all_models_see_one_film_and_are_measured_alike(monkeypatch):
    monkeypatch.chdir(ROOT)
    plan = dict(dynamic_textures.plan_of(pathlib.Path("runs"), pathlib.Path("a.npz"), "fire"))
    assert plan.keys() == dynamic_textures.MODELS.keys()
    assert len({run.workdir for run in plan.values()}) == len(plan)
    trained = [command_line.values("trainers.main", *run.training) for run in plan.values()]
    facts = ("dataset", "clip_length", "clip_stride", "test_fraction", "seed")
    assert len({tuple(values[fact].value for fact in facts) for values in trained}) == 1
    assert {tuple(values.image_size) for values in trained} == {("32",)}


def test_the_table_has_models_and_then_controls():
    sources = ("samples", *dynamic_textures.CONTROLS)
    found = {
        f"{source}_{value}": number + place / 10
        for number, source in enumerate(sources)
        for place, value in enumerate(dynamic_textures.VALUES)
    }
    found[dynamic_textures.UPDATES] = 700
    rows = dynamic_textures.table({"triangle": found, "absent": {}}).splitlines()
    assert rows[2] == "| triangle, 700 updates | 0.00 | 0.10 | 0.20 | 0.30 | 0.40 | 0.50 |"
    assert [row.split(" | ")[0] for row in rows[3:]] == [
        f"| {title}" for title in dynamic_textures.CONTROLS.values()
    ]


def test_films_are_asked_for():
    assert "--films" in command_line.mistake("experiments.dynamic_textures")


def test_unknown_films_are_named(monkeypatch):
    monkeypatch.setattr(npz, "names", lambda subject, path: ["fire", "flag"])
    given = ("--films=a.npz", "--names=smoke")
    assert "fire, flag" in command_line.mistake("experiments.dynamic_textures", *given)


@pytest.mark.parametrize("value", dynamic_textures.VALUES)
def test_every_column_is_explained(value):
    assert f"`{value}`" in dynamic_textures.PART
