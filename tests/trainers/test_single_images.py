"""`trainers.sample` writes images one by one: as files of a directory, or as an array."""

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import content, mistake
from test_sampling import cells, draw


def test_images_are_written_one_by_one_into_a_directory(trained_digits, tmp_path, capsys):
    """The same images as on the sheet, as many as asked for, in files that sort by number."""
    ask = ["--task=generate", "--count=4", "--seed=2"]
    sheet = cells(draw(trained_digits, tmp_path / "out.png", *ask), 8, 8, 8).reshape(4, 8, 8)
    asked = (f"--workdir={trained_digits}", f"--output={tmp_path / 'images'}")
    command_line.start("trainers.sample", *asked, *ask)
    paths = sorted((tmp_path / "images").iterdir())
    assert [path.name for path in paths] == [f"{number:05d}.png" for number in range(4)]
    assert np.array_equal([iio.imread(path) for path in paths], sheet)
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "images")


@pytest.mark.parametrize("task", ["generate", "complete", "reconstruct"])
def test_images_are_written_as_an_array(trained_digits, tmp_path, task):
    asked = (f"--workdir={trained_digits}", f"--task={task}", "--count=3")
    command_line.start("trainers.sample", *asked, f"--output={tmp_path / 'out.npz'}")
    found = np.load(tmp_path / "out.npz")["image"]
    assert found.shape == (3, 8, 8, 1)
    assert found.dtype == np.uint8
    command_line.start("trainers.sample", *asked, f"--output={tmp_path / 'out.png'}")
    sheet = iio.imread(tmp_path / "out.png")
    if task != "generate":  # three images on a sheet of two by two leave a cell empty
        shown = cells(sheet, 8, 8, 8)
        row = {"complete": 2, "reconstruct": 1}[task]
        assert np.array_equal(found[..., 0], shown[row])


def test_more_images_than_are_made_at_once_are_all_different(trained_digits, tmp_path):
    """150, in two parts, of which the first is the same as of 100."""
    arrays = []
    for count in (100, 150):
        output = tmp_path / f"{count}.npz"
        asked = ("--task=generate", f"--count={count}", f"--output={output}")
        command_line.start("trainers.sample", f"--workdir={trained_digits}", *asked)
        arrays.append(np.load(output)["image"])
    first, both = arrays
    assert np.array_equal(first, both[:100])
    assert len(np.unique(both.reshape(150, -1), axis=0)) == 150


def test_large_images_are_written_one_by_one(trained_texture, tmp_path):
    output = tmp_path / "images"
    ask = ["--task=synthesize", "--size=32,40", "--count=2", f"--output={output}"]
    command_line.start("trainers.sample", f"--workdir={trained_texture}", *ask)
    images = [iio.imread(path) for path in sorted(output.iterdir())]
    assert [image.shape for image in images] == [(32, 40), (32, 40)]
    assert not np.array_equal(*images)


@pytest.mark.parametrize("task", ["anomaly", "memories", "score"])
@pytest.mark.parametrize("name", ["out", "out.npz"])
def test_a_drawing_without_single_images_wants_a_png(trained_digits, tmp_path, task, name):
    asked = (f"--workdir={trained_digits}", f"--task={task}", f"--output={tmp_path / name}")
    sentence = mistake("trainers.sample", *asked)
    for words in ("--output", "a .png file", task, name):
        assert words in sentence
    assert content(tmp_path) == {}


def test_a_directory_in_use_is_left_as_it_is(trained_digits, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.txt").write_text("mine")
    asked = ("--task=generate", f"--output={tmp_path / 'images'}")
    sentence = mistake("trainers.sample", f"--workdir={trained_digits}", *asked)
    assert "--output" in sentence and str(tmp_path / "images") in sentence
    assert content(tmp_path) == {"images/mine.txt": b"mine"}
