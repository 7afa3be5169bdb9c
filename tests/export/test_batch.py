"""A folder of images is answered once each, whatever interrupts the job."""

import csv
import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import mistake
from support.tiny_models import Weather

from export import batch
from export.clients import job as jobs
from export.clients.in_process import InProcess
from export.clients.job import Job
from export.saved_model import archive
from tfgen.data import preprocess
from tfgen.errors import UserError

slow = pytest.mark.slow
pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture
def job(exported_triangle, tmp_path):
    """Writes five images, and returns the flags of a job on them."""
    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for number in range(5):
        iio.imwrite(images / f"d{number}.png", rng.integers(0, 256, (8, 8), np.uint8))
    saved_model = exported_triangle / "saved_model" / "divergence_triangle"
    return [
        f"--saved_model={saved_model}",
        f"--input={images}",
        f"--output={tmp_path / 'answers'}",
        "--mask=salt_and_pepper:0.5",
    ]


def answers(tmp_path) -> dict[str, bytes]:
    return command_line.content(tmp_path / "answers")


@pytest.fixture(scope="module")
def model(exported_triangle):
    """Returns the model that jobs ask."""
    return InProcess(exported_triangle / "saved_model" / "divergence_triangle")


def test_a_job_asks_for_the_models_own_steps_unless_told_otherwise(exported, job, tmp_path):
    """The run was trained with `sample_steps=5`."""
    own = f"--saved_model={exported / 'saved_model' / 'generative_convnet'}"
    for steps, expected in (((), 5), (("--steps=7",), 7), (("--set=num_steps=8",), 8)):
        values = command_line.values("export.batch", *job, own, *steps)
        asked = batch._job(values)
        assert asked.given == {"num_steps": expected}
        assert batch._record(asked)["num_steps"] == expected
        (image, *_) = sorted((tmp_path / "images").iterdir())
        assert asked.row(image)["num_steps"] == expected


@slow
def test_each_image_is_completed_as_the_model_does_alone(job, model, tmp_path):
    pytest.importorskip("apache_beam")
    command_line.start("export.batch", *job, "--steps=2", "--batch_size=2")
    found = answers(tmp_path)
    assert sorted(found) == [*(f"d{number}.png" for number in range(5)), "job.json"]
    given = {"num_steps": 2}
    asked = Job("", "", model.endpoint("complete"), "salt_and_pepper:0.5", 0, given)
    for image in sorted((tmp_path / "images").iterdir()):
        row = asked.row(image)
        rows = {name: np.asarray(value)[np.newaxis] for name, value in row.items()}
        alone = model.answer("complete", rows)["image"]
        completed = iio.imread(tmp_path / "answers" / image.name).astype(int)
        # a grey level where rounding decides
        assert np.abs(completed - preprocess.to_uint8(alone[0])[..., 0]).max() <= 1
        known = row["mask"][..., 0] == 1
        assert 10 < known.sum() < 54
        assert np.array_equal(completed[known], iio.imread(image)[known])


@slow
def test_a_killed_job_goes_on_and_ends_as_if_it_had_not_been_killed(job, tmp_path):
    pytest.importorskip("apache_beam")
    command_line.start("export.batch", *job)
    whole = answers(tmp_path)
    shutil.rmtree(tmp_path / "answers")
    trap = ("os.rename", str(tmp_path / "answers" / ".d"), 3)
    assert command_line.spawned("export.batch", *job, log=tmp_path / "log", traps=[trap]) == -9
    left = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "answers").glob("d*.png")}
    assert len(left) == 2
    command_line.start("export.batch", *job)
    assert answers(tmp_path) == whole
    assert all(
        (tmp_path / "answers" / name).stat().st_mtime_ns == time for name, time in left.items()
    )


@slow
def test_energies_are_a_table_with_each_image_once(job, model, tmp_path, capsys):
    pytest.importorskip("apache_beam")
    images = tmp_path / "images"
    shutil.move(images / "d4.png", tmp_path / "late.png")
    command_line.start("export.batch", *job, "--task=energy")
    shutil.move(tmp_path / "late.png", images / "late.png")
    command_line.start("export.batch", *job, "--task=energy")
    assert "4 answers were there, 1 were asked for" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "answers" / "energy.csv").read_text().splitlines()))
    assert [row["image"] for row in rows] == ["d0.png", "d1.png", "d2.png", "d3.png", "late.png"]
    pictures = [iio.imread(images / row["image"])[..., None] for row in rows]
    image = np.stack([preprocess.to_unit(picture) for picture in pictures])
    expected = model.answer("energy", {"image": image})["energy"]
    np.testing.assert_allclose([float(row["energy"]) for row in rows], expected, rtol=1e-5)


@slow
def test_a_task_that_answers_in_maps_writes_arrays(job, model, tmp_path):
    pytest.importorskip("apache_beam")
    command_line.start("export.batch", *job, "--task=anomaly")
    image = preprocess.to_unit(iio.imread(tmp_path / "images" / "d3.png")[None, ..., None])
    expected = model.answer("anomaly", {"image": image})
    with np.load(tmp_path / "answers" / "d3.npz") as found:
        for name in ("energy", "steepness"):
            np.testing.assert_allclose(found[name], expected[name][0], rtol=1e-4, atol=1e-4)


def test_answers_have_a_row_for_each_image_whatever_the_task(model, tmp_path):
    """Pictures, numbers, vectors and maps: each in the file that holds it best."""
    kinds = {"reconstruct": ".png", "energy": ".json", "encode": ".json", "anomaly": ".npz"}
    for task, suffix in kinds.items():
        asked = Job("", str(tmp_path), model.endpoint(task), "half:bottom", 0, {})
        assert asked.suffix == suffix
    encode = Job("", str(tmp_path), model.endpoint("encode"), "half:bottom", 0, {})
    path = encode.write(tmp_path / "a.png", {"latent": np.arange(3, dtype=np.float32)})
    expected = {"image": "a.png", "latent_0": 0.0, "latent_1": 1.0, "latent_2": 2.0}
    assert json.loads(path.read_text()) == expected


@pytest.mark.parametrize(
    ("task", "said"), [("generate", "takes 0 images"), ("interpolate", "takes 2 images")]
)
def test_a_job_takes_one_image_a_row(model, task, said):
    with pytest.raises(UserError, match=f"--task: expected one that takes one image.*{said}"):
        jobs.settled(model.endpoint(task), {})


def test_a_job_takes_inputs_that_nobody_has_heard_of(tmp_path):
    archive.write(Weather(), tmp_path / "weather")
    endpoint = InProcess(tmp_path / "weather").endpoint("forecast")
    assert jobs.settled(endpoint, {"day": 5}) == {"day": 5}
    with pytest.raises(UserError, match="--set: expected day=VALUE"):
        jobs.settled(endpoint, {})


@slow
def test_an_image_that_cannot_be_read_is_named_and_the_others_are_answered(job, tmp_path):
    pytest.importorskip("apache_beam")
    (tmp_path / "images" / "bad.png").write_bytes(b"no image")
    assert "could not use 1 of 6, such as bad.png" in mistake("export.batch", *job)
    found = answers(tmp_path)
    assert sum(name.endswith(".png") for name in found) == 5
    assert b"could not decode" in found["failed/bad.png.txt"]
    (tmp_path / "images" / "bad.png").unlink()
    command_line.start("export.batch", *job)
    assert "failed/bad.png.txt" not in answers(tmp_path)


@slow
@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--task=dream"], ["--task", "dream"]),
        (["--runner=NoRunner"], ["--runner", "NoRunner"]),
        (["--mask=nothing"], ["mask", "nothing"]),
        (["--input=nowhere"], ["--input", "nowhere"]),
        (["--saved_model=nowhere"], ["--saved_model", "nowhere"]),
    ],
)
def test_what_cannot_be_done_is_said(job, args, named):
    pytest.importorskip("apache_beam")
    sentence = mistake("export.batch", *job, *args)
    for words in named:
        assert words in sentence


@slow
def test_an_output_of_another_job_or_of_others_is_refused(job, tmp_path):
    pytest.importorskip("apache_beam")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "mine").write_text("x")
    assert "--output: expected an empty directory" in mistake("export.batch", *job)
    (tmp_path / "answers" / "mine").unlink()
    shutil.copy(tmp_path / "images" / "d0.png", tmp_path / "images" / "d1.gif")
    assert "several d1.*" in mistake("export.batch", *job)
    (tmp_path / "images" / "d1.gif").unlink()
    record = {
        "saved_model": "another",
        "task": "complete",
        "mask": "B20",
        "num_steps": 0,
        "seed": 0,
    }
    (tmp_path / "answers" / batch.RECORD).write_text(json.dumps(record))
    assert "holds answers by saved_model another" in mistake("export.batch", *job)
    assert len(answers(tmp_path)) == 1


def test_without_beam_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(batch.importlib.util, "find_spec", lambda name: None)
    asked = ["--saved_model=a", f"--input={tmp_path}", f"--output={tmp_path}"]
    assert "the extra `beam`" in mistake("export.batch", *asked)
