"""A folder of images is answered once each, whatever interrupts the job."""

import csv
import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import mistake

from export import batch
from export.clients import backends
from tfgen.data import preprocess

slow = pytest.mark.slow


@pytest.fixture
def job(exported_triangle, tmp_path):
    """Five images, and the flags of a job on them."""
    images = tmp_path / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for number in range(5):
        iio.imwrite(images / f"d{number}.png", rng.integers(0, 256, (8, 8), np.uint8))
    model = exported_triangle / "saved_model" / "divergence_triangle"
    return [
        f"--saved_model={model}",
        f"--input={images}",
        f"--output={tmp_path / 'answers'}",
        "--mask=salt_and_pepper:0.5",
    ]


def answers(tmp_path) -> dict[str, bytes]:
    return command_line.content(tmp_path / "answers")


@slow
def test_each_image_is_completed_as_the_model_does_alone(job, exported_triangle, tmp_path):
    bulk = pytest.importorskip("export.bulk", exc_type=ImportError)
    command_line.start("export.batch", *job, "--steps=2", "--batch_size=2")
    found = answers(tmp_path)
    assert sorted(found) == [*(f"d{number}.png" for number in range(5)), "job.json"]
    model = backends.Loaded(exported_triangle / "saved_model" / "divergence_triangle")
    asked = bulk.Job("", "", "complete", "salt_and_pepper:0.5", 2, 0, model.signatures["complete"])
    for image in sorted((tmp_path / "images").iterdir()):
        row = asked.row(image)
        alone = model.answer(
            "complete", {name: np.asarray(value)[None] for name, value in row.items()}
        )["image"]
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
    assert command_line.spawned("export.batch", *job, log=tmp_path / "log", trap=trap) == -9
    left = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "answers").glob("d*.png")}
    assert len(left) == 2
    command_line.start("export.batch", *job)
    assert answers(tmp_path) == whole
    assert all(
        (tmp_path / "answers" / name).stat().st_mtime_ns == time for name, time in left.items()
    )


@slow
def test_energies_are_a_table_with_each_image_once(job, exported_triangle, tmp_path, capsys):
    pytest.importorskip("apache_beam")
    images = tmp_path / "images"
    shutil.move(images / "d4.png", tmp_path / "late.png")
    command_line.start("export.batch", *job, "--task=energy")
    shutil.move(tmp_path / "late.png", images / "late.png")
    command_line.start("export.batch", *job, "--task=energy")
    assert "4 answers were there, 1 were asked for" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "answers" / "energies.csv").open()))
    assert [row["image"] for row in rows] == ["d0.png", "d1.png", "d2.png", "d3.png", "late.png"]
    model = backends.Loaded(exported_triangle / "saved_model" / "divergence_triangle")
    image = np.stack(
        [preprocess.to_unit(iio.imread(images / row["image"])[..., None]) for row in rows]
    )
    np.testing.assert_allclose(
        [float(row["energy"]) for row in rows],
        model.answer("energy", {"image": image})["energy"],
        rtol=1e-5,
    )


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
