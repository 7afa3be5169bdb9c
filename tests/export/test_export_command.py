"""`export.main`: SavedModels in versions, LiteRT files and a card; whole or not there."""

import errno
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from support import command_line
from support.command_line import content, mistake
from support.tiny_models import Weather

from export.litert import convert
from export.saved_model import archive, description
from tfgen.errors import UserError
from tfgen.models import Model
from trainers.run.trained import restored


def test_an_export_writes_models_and_a_card(exported):
    assert sorted(path.name for path in exported.iterdir()) == [
        "model_card.json",
        "model_card.md",
        "saved_model",
        "tflite",
    ]
    assert [path.name for path in (exported / "saved_model").iterdir()] == ["generative_convnet"]
    assert [path.name for path in (exported / "saved_model" / "generative_convnet").iterdir()] == [
        "1"
    ]
    files = {path.name for path in (exported / "tflite").iterdir()}
    assert {"complete.tflite", "energy.tflite", "generate.tflite", "reconstruct.tflite"} <= files


def test_a_model_with_latents_is_exported_in_both_formats(exported_triangle):
    assert [path.name for path in (exported_triangle / "saved_model").iterdir()] == [
        "divergence_triangle"
    ]
    lite = ("complete", "complete_step", "decode", "encode", "energy", "interpolate", "reconstruct")
    files = {path.name for path in (exported_triangle / "tflite").iterdir()}
    assert {f"{name}.tflite" for name in lite} <= files
    card = (exported_triangle / "model_card.md").read_text()
    for words in (
        "The divergence triangle: energy, generator",
        "triangle_digits",
        "2 updates",
        *lite,
    ):
        assert words in card


def test_the_description_holds_the_facts_of_the_run(exported):
    """What the run was trained with: its sampler, its own number of steps, its shapes."""
    version = exported / "saved_model" / "generative_convnet" / "1"
    found = description.parsed((version / description.PLACE).read_text())
    facts = found.facts
    assert (facts["algorithm"], facts["nets"]) == (
        "generative_convnet",
        "generative_convnet_digits",
    )
    assert (facts["class"], facts["updates"]) == ("EnergyModel", 4)
    assert (facts["image_shape"], facts["num_classes"]) == ([8, 8, 1], 1)
    kernel = facts["sampling"]["kernel"]
    assert (kernel["class"], kernel["step_size"], kernel["temperature"]) == ("Langevin", 0.1, 1.0)
    assert (facts["sampling"]["steps"], facts["sampling"]["learning_steps"]) == (5, 2)
    assert facts["settings"]["sigma"] == 0.3
    assert found.endpoints["generate"].inputs["num_steps"].default == 5


def test_an_older_checkpoint_is_exported_when_asked_for(trained, tmp_path):
    """The export has its updates and its weights, and not the newest one's."""
    workdir = trained("toy_twice", *command_line.TOY, "--steps=8", "--keep=2")
    where = (f"--workdir={workdir}", f"--output={tmp_path}", "--formats=saved_model", "--nomeasure")
    command_line.start("export.main", *where, "--step=4")
    version = tmp_path / "saved_model" / "generative_convnet" / "1"
    said = description.parsed((version / description.PLACE).read_text())
    assert said.facts["updates"] == 4
    image = tf.zeros((1, 1, 1, 2))
    found = tf.saved_model.load(str(version)).signatures["energy"](image=image)["energy"]
    older, newest = (restored(workdir, step).model.energy(image) for step in (4, None))
    np.testing.assert_allclose(found, older, rtol=1e-5)
    assert np.abs(found - newest) > 1e-4
    assert "step: expected one of 4, 8" in mistake("export.main", *where, "--step=5")


def test_versions_count_up_and_older_ones_stay(exported_again):
    model = exported_again.output / "saved_model" / "generative_convnet"
    assert sorted(path.name for path in model.iterdir()) == ["1", "2"]
    assert content(model / "1") == exported_again.first
    assert (model / "2" / "saved_model.pb").exists()


def test_an_export_leaves_the_run_as_it_was(exported_again):
    before, after = exported_again.run
    assert after == before


def test_what_was_written_is_printed(exported_again):
    output = exported_again.output
    assert exported_again.printed == [
        str(output / "saved_model" / "generative_convnet" / "2"),
        str(output / "model_card.json"),
        str(output / "model_card.md"),
    ]


@pytest.mark.parametrize(
    ("there", "expected"), [([], 1), (["1", "2"], 3), (["9", "10"], 11), (["1", "notes"], 2)]
)
def test_the_next_version_is_one_more_than_the_newest(tmp_path, there, expected):
    for name in there:
        (tmp_path / name).mkdir()
    assert archive.next_version(tmp_path) == expected
    assert archive.next_version(tmp_path / "nowhere") == 1


def test_each_endpoint_is_traced_once(tmp_path):
    """Tracing is most of the time that an export takes; the form for files shares the graph."""
    traced = []
    archive.write(Weather(on_trace=traced.append), tmp_path / "model")
    assert len(traced) == 1


def test_an_export_that_fails_leaves_nothing_half_written(digits, exported, tmp_path, monkeypatch):
    def save(_, path, *__):
        pathlib.Path(path, "variables").mkdir(parents=True)
        pathlib.Path(path, "saved_model.pb").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", path)

    shutil.copytree(exported, tmp_path / "out")
    before = content(tmp_path)
    monkeypatch.setattr(tf.saved_model, "save", save)
    sentence = mistake(
        "export.main",
        f"--workdir={digits}",
        f"--output={tmp_path / 'out'}",
        "--formats=saved_model",
    )
    assert "No space" in sentence
    assert content(tmp_path) == before


def test_a_conversion_that_fails_leaves_the_older_files(digits, tmp_path, monkeypatch):
    (tmp_path / "tflite").mkdir()
    (tmp_path / "tflite" / "energy.tflite").write_bytes(b"old")

    def failing(*given):
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    monkeypatch.setattr(convert, "convert", failing)
    mistake("export.main", f"--workdir={digits}", f"--output={tmp_path}", "--formats=tflite")
    assert content(tmp_path) == {"tflite/energy.tflite": b"old"}


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--formats=onnx"], ["--formats", "onnx", "saved_model, tflite"]),
        (["--formats=saved_model,tfllite"], ["--formats", "tfllite"]),
        (["--formats="], ["--formats", "none"]),
        (["--variants=int8,int4"], ["--variants", "int4", "float32, int8, float16"]),
        (["--variants="], ["--variants", "none"]),
        (["--workdirs=x"], ["--workdirs", "--workdir"]),
    ],
)
def test_what_cannot_be_exported_is_said(digits, tmp_path, args, named):
    sentence = mistake("export.main", f"--workdir={digits}", f"--output={tmp_path / 'out'}", *args)
    for words in named:
        assert words in sentence
    assert content(tmp_path) == {}


def test_a_missing_directory_is_asked_for(digits, tmp_path):
    assert "--output" in mistake("export.main", f"--workdir={digits}")
    assert "--workdir" in mistake("export.main", f"--output={tmp_path}")


def test_an_output_that_is_a_file_is_refused(digits, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "--output" in mistake(
        "export.main", f"--workdir={digits}", f"--output={tmp_path / 'file'}"
    )
    assert content(tmp_path) == {"file": b"x"}


def test_an_output_whose_place_for_models_is_a_file_is_refused(digits, tmp_path):
    (tmp_path / "saved_model").write_text("x")
    assert str(tmp_path / "saved_model") in mistake(
        "export.main", f"--workdir={digits}", f"--output={tmp_path}"
    )
    assert content(tmp_path) == {"saved_model": b"x"}


@pytest.mark.slow
def test_a_version_that_another_export_wrote_meanwhile_stays(digits, tmp_path, monkeypatch):
    model = tmp_path / "saved_model" / "generative_convnet"

    def save(_, path, *__):
        pathlib.Path(path).mkdir(parents=True)
        (model / "1").mkdir()
        (model / "1" / "saved_model.pb").write_bytes(b"theirs")

    monkeypatch.setattr(tf.saved_model, "save", save)
    sentence = mistake(
        "export.main", f"--workdir={digits}", f"--output={tmp_path}", "--formats=saved_model"
    )
    assert str(model) in sentence
    assert content(tmp_path) == {"saved_model/generative_convnet/1/saved_model.pb": b"theirs"}


def test_a_run_without_a_checkpoint_is_refused(digits, tmp_path):
    workdir = shutil.copytree(
        digits, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints")
    )
    sentence = mistake("export.main", f"--workdir={workdir}", f"--output={tmp_path / 'out'}")
    assert f"--workdir: {workdir}: expected a checkpoint" in sentence
    assert not (tmp_path / "out").exists()


def test_a_model_without_tflite_is_refused_before_anything_is_written(
    digits, tmp_path, monkeypatch
):
    def refuse(model):
        raise UserError("--formats: tflite expects a model with a task that a device can do")

    monkeypatch.setattr(convert, "endpoints", refuse)
    sentence = mistake("export.main", f"--workdir={digits}", f"--output={tmp_path / 'out'}")
    assert "--formats: tflite" in sentence
    assert content(tmp_path) == {}


class Silent(Model):
    """A model that can be asked nothing."""

    def inputs(self):
        return {}


def test_a_model_without_tasks_has_no_tflite():
    with pytest.raises(UserError, match="--formats: tflite"):
        convert.endpoints(Silent({}, image_shape=(1, 1, 1)))
