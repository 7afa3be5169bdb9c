"""Models and runs on disk: what is written, what is read, and what is refused in one sentence."""

import json

import numpy as np
import pytest
from support import registry

import tfgen
from tfgen.errors import UserError
from tfgen.models import saved


@pytest.fixture
def path(tmp_path):
    """Returns the directory of a saved model."""
    registry.updated("vae").algorithm.model.save(tmp_path / "model")
    return tmp_path / "model"


def run_of(path, steps=(0, 10)):
    """Returns a work directory whose checkpoints hold the model at `path`."""
    run = path.parent / "run"
    run.mkdir()
    (run / saved.RUN).write_text(json.dumps(saved.describe_run()))
    for step in steps:
        place = saved.checkpoint(run / "checkpoints", step) / saved.MODEL
        place.mkdir(parents=True)
        for name in (saved.DESCRIPTION, saved.WEIGHTS):
            (place / name).write_bytes((path / name).read_bytes())
        edit(place, updates=step)
    return run


def edit(path, **changes):
    """Changes the description of a saved model."""
    place = path / saved.DESCRIPTION
    place.write_text(json.dumps(json.loads(place.read_text()) | changes))


def test_a_path_may_be_a_string(path):
    assert type(tfgen.load(str(path))) is type(tfgen.load(path))


def test_a_work_directory_gives_its_newest_model_or_that_of_a_step(path):
    run = run_of(path)
    assert tfgen.load(run).updates == 10
    assert tfgen.load(run, step=0).updates == 0


def test_a_saved_model_is_replaced_whole(path):
    registry.updated("abp").algorithm.model.save(path)
    assert tfgen.load(path).inference is None
    assert [place.name for place in path.parent.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "expected a saved model of format 1 and found format 99"),
        ({"class": "Nonsense"}, "a model of the class Nonsense"),
        ({"config": {}}, "could not make the model that it describes"),
    ],
)
def test_another_description_is_refused(path, change, words):
    edit(path, **change)
    with pytest.raises(UserError) as caught:
        tfgen.load(path)
    assert words in str(caught.value)


def changed(path, change):
    """Writes the weights anew after a change."""
    with np.load(path / saved.WEIGHTS) as archive:
        values = dict(archive)
    name = sorted(values)[0]
    change(values, name)
    np.savez(path / saved.WEIGHTS, **values)
    return name


def test_a_variable_of_another_shape_is_named(path):
    name = changed(path, lambda values, n: values.update({n: values[n][..., :0]}))
    with pytest.raises(UserError, match="of shape") as caught:
        tfgen.load(path)
    assert name in str(caught.value)


def test_a_variable_that_is_missing_or_unknown_is_named(path):
    name = changed(path, lambda values, n: values.pop(n))
    with pytest.raises(UserError, match="only in the model") as caught:
        tfgen.load(path)
    assert name in str(caught.value)


def test_a_variable_that_is_not_finite_is_named(path):
    name = changed(path, lambda values, n: values[n].fill(np.inf))
    with pytest.raises(UserError, match="NaN or infinity") as caught:
        tfgen.load(path)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", [saved.WEIGHTS, saved.DESCRIPTION])
def test_a_file_that_is_cut_short_is_said(path, name):
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="damaged"):
        tfgen.load(path)


def test_what_is_no_model_and_no_run_is_said(tmp_path):
    for place, words in ((tmp_path, "neither in it"), (tmp_path / "nowhere", "no such directory")):
        with pytest.raises(UserError, match=words):
            tfgen.load(place)


def test_a_run_of_an_older_or_newer_format_is_said(path):
    run = run_of(path)
    (run / saved.RUN).write_text(json.dumps({"format": 99, "tfgen": "9.0"}))
    with pytest.raises(UserError, match="found format 99, written by tfgen"):
        tfgen.load(run)
    (run / saved.RUN).unlink()
    (run / "flags.cfg").write_text("")
    with pytest.raises(UserError, match="an older version of tfgen"):
        tfgen.load(run)


def test_a_run_without_a_checkpoint_or_without_that_step_is_said(path):
    run = run_of(path, steps=())
    with pytest.raises(UserError, match="train first"):
        tfgen.load(run)
    place = saved.checkpoint(run / "checkpoints", 5) / saved.MODEL
    place.parent.mkdir(parents=True)
    with pytest.raises(UserError, match="step: expected one of 5"):
        tfgen.load(run, step=4)


def test_a_saved_model_has_no_steps(path):
    with pytest.raises(UserError, match="a saved model without steps"):
        tfgen.load(path, step=3)


def test_other_files_are_not_overwritten(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.tex").write_text("years")
    with pytest.raises(UserError, match="found other files"):
        registry.updated("vae").algorithm.model.save(tmp_path / "model")
    assert (tmp_path / "model" / "thesis.tex").exists()
