"""`trainers.sample` writes images one by one: as files of a directory, or as an array."""

import pathlib

import imageio.v3 as iio
import numpy as np
import pytest
from support import command_line
from support.command_line import content, mistake
from test_sampling import cells, draw

from tfgen.errors import UserError
from trainers.drawings import generate, single_images
from trainers.drawings.request import Request
from trainers.run.trained import restored


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


ASKED = {"task": "generate", "seed": 5, "size": (8, 8)}


class Parts:
    """Five parts of three images each; some part may fail.

    Args:
        fails_at: the part that is interrupted.
    """

    def __init__(self, fails_at: int | None = None):
        self.fails_at = fails_at
        self.made: list[int] = []

    def __call__(self, done: int):
        for number in range(done, 5):
            if number == self.fails_at:
                raise KeyboardInterrupt
            self.made.append(number)
            drawn = np.random.default_rng(number).uniform(-1, 1, (3, 4, 4, 1))
            yield drawn.astype(np.float32)


@pytest.mark.parametrize("name", ["images", "images.npz"])
def test_images_go_on_after_an_interruption_and_are_the_same(tmp_path, name):
    whole, path = tmp_path / "whole" / name, tmp_path / "out" / name
    single_images.write(whole, Parts(), ASKED, 15)
    for fails_at in (2, 2, 4):  # the second is interrupted before it has made anything
        with pytest.raises(KeyboardInterrupt):
            single_images.write(path, Parts(fails_at), ASKED, 15)
        assert not path.exists()
    last = Parts()
    single_images.write(path, last, ASKED, 15)
    assert last.made == [4]
    if name == "images":
        assert content(path) == content(whole)
        assert len(content(path)) == 15
    else:
        ours, theirs = (np.load(p)["image"] for p in (path, whole))
        assert ours.shape == (15, 4, 4, 1)
        assert np.array_equal(ours, theirs)
    assert [place.name for place in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("other", [{"seed": 6}, {"task": "complete"}, {"count": 7}])
def test_unfinished_images_of_another_request_are_not_gone_on_with(tmp_path, other):
    path = tmp_path / "images"
    with pytest.raises(KeyboardInterrupt):
        single_images.write(path, Parts(1), ASKED)
    before = content(tmp_path)
    with pytest.raises(UserError, match=r"--output: expected to go on with .*\.images\.unfinished"):
        single_images.write(path, Parts(), ASKED | other)
    assert content(tmp_path) == before
    pathlib.Path(tmp_path / ".images.unfinished" / single_images.RECORD).write_text("{")
    with pytest.raises(UserError, match="begun with task None"):
        single_images.write(path, Parts(), ASKED)


def test_nothing_is_left_of_images_that_cannot_be_made(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        single_images.write(tmp_path / "images", Parts(0), ASKED)
    assert not list(tmp_path.iterdir())


def test_the_parts_that_are_left_are_those_of_an_uninterrupted_command(trained_digits, monkeypatch):
    monkeypatch.setattr(generate, "PART", 4)
    trained, request = restored(trained_digits), Request(count=10, seed=3)
    whole = list(generate.images(trained, request))
    assert [len(part) for part in whole] == [4, 4, 2]
    for done in range(4):
        left = list(generate.images(trained, request, done))
        assert len(left) == 3 - done
        for ours, theirs in zip(left, whole[done:], strict=True):
            assert np.array_equal(ours, theirs)
