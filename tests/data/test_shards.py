"""Shards: prepared apart, put together as if by one process."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from tfgen.data import examples, shards
from tfgen.data.preprocess import prepared, stacked
from tfgen.data.request import Request
from tfgen.errors import UserError

SIZE = (5, 4)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Makes shards of three pictures."""
    monkeypatch.setattr(shards, "COUNT", 3)
    shards._contents.cache_clear()


def write_pictures(folder, count=11, bits=8):
    """Writes pictures of noise of two classes, in two splits."""
    for number in range(count):
        place = folder / ("test" if number % 4 == 0 else "train") / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(number)
        pixels = rng.integers(0, 2**bits, (9, 9), np.uint8 if bits == 8 else np.uint16)
        Image.fromarray(pixels).save(place / f"{number:02}.png")


def planned(folder, **options):
    """Returns the contents of a folder and its shards."""
    request = Request(name=f"folder:{folder}", size=SIZE, **options)
    found = request.contents()
    return found, shards.planned(request, found, folder.parent / "shards")


@pytest.mark.parametrize("start", [0, 4])
def test_shards_together_are_the_pictures_of_one_process(tmp_path, start):
    write_pictures(tmp_path / "pictures")
    found, jobs = planned(tmp_path / "pictures")
    assert [(job.split, job.start, job.stop) for job in jobs if job.split == "train"] == [
        ("train", 0, 3),
        ("train", 3, 6),
        ("train", 6, 8),
    ]
    for job in reversed(jobs):  # in any order
        job.write()
    whole = shards.gathered(found, jobs)
    image, label = stacked("data", prepared("data", whole.since("train", start), SIZE, None))
    expected = examples.load(f"folder:{tmp_path / 'pictures'}", image_size=SIZE).train
    np.testing.assert_array_equal(image, expected.image[start:])
    np.testing.assert_array_equal(label, expected.label[start:])


def test_a_shard_that_is_there_is_not_written_again(tmp_path):
    write_pictures(tmp_path / "pictures")
    _, jobs = planned(tmp_path / "pictures")
    jobs[0].write()
    before = jobs[0].path.stat()
    jobs[0].write()
    assert jobs[0].path.stat() == before


def test_a_damaged_picture_is_said_with_its_file(tmp_path):
    write_pictures(tmp_path / "pictures")
    damaged = next((tmp_path / "pictures" / "train").rglob("*.png"))
    damaged.write_bytes(b"\x89PNG")
    found, jobs = planned(tmp_path / "pictures")
    for job in jobs:
        job.write()
    with pytest.raises(UserError, match=f"found a damaged PNG in {damaged}"):
        shards.gathered(found, jobs)


def test_a_shard_that_no_worker_wrote_is_said(tmp_path):
    write_pictures(tmp_path / "pictures")
    found, jobs = planned(tmp_path / "pictures")
    with pytest.raises(UserError, match="workers must see the pictures"):
        shards.gathered(found, jobs)


def test_shards_of_several_depths_are_refused_together(tmp_path):
    """As if other processes wrote them: each sees one depth."""
    write_pictures(tmp_path / "pictures", bits=12)
    bright = np.full((9, 9), 65535, np.uint16)
    for name in ("07.png", "09.png"):  # all of the last shard
        Image.fromarray(bright).save(tmp_path / "pictures" / "train" / "b" / name)
    found, jobs = planned(tmp_path / "pictures")
    for job in jobs:
        shards._contents.cache_clear()
        job.write()
    with pytest.raises(UserError, match="--bit_depth=16"):
        list(shards.gathered(found, jobs).since("train", 0))


def test_bytes_of_0_and_1_are_refused_as_always(tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        Image.fromarray(np.eye(9, dtype=np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
    request = Request(name=f"folder:{tmp_path / 'pictures'}")
    found = request.contents()
    jobs = shards.planned(request, found, tmp_path / "shards")
    for job in jobs:
        job.write()
    with pytest.raises(UserError, match="--value_range=0,1"):
        list(shards.gathered(found, jobs).since("all", 0))


@pytest.mark.parametrize("name", ["digits", "npz:a.npz", "mnist"])
def test_other_sources_cannot_be_read_apart(name):
    with pytest.raises(UserError, match=f"--runner: expected a data set folder:PATH.*{name}"):
        shards.planned(Request(name=name), None, pathlib.Path())
