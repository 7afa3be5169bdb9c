"""Signatures of files: they change with names, sizes and times, and with nothing else."""

import os

import pytest

from tfgen.data import signature


@pytest.fixture
def folder(tmp_path):
    """Returns a folder of three files."""
    place = tmp_path / "folder"
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"x" * 10)
    return place


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "a/1.png").rename(f / "a/3.png"),
        lambda f: (f / "a/1.png").rename(f / "b/2.png"),
        lambda f: (f / "a/1.png").unlink(),
        lambda f: (f / "c.png").touch(),
        lambda f: (f / "a/1.png").write_bytes(b"x" * 11),
        lambda f: os.utime(f / "a/1.png", ns=(0, 0)),
    ],
    ids=["renamed", "moved", "gone", "new", "grown", "touched"],
)
def test_a_change_of_files_changes_the_signature(folder, change):
    before = signature.of_path(folder)
    change(folder)
    assert signature.of_path(folder) != before


def test_hidden_files_and_reading_change_nothing(folder):
    before = signature.of_path(folder)
    (folder / ".DS_Store").touch()
    (folder / "a/1.png").read_bytes()
    assert signature.of_path(folder) == before


def test_links_are_followed_and_circles_end(folder, tmp_path):
    before = signature.of_path(folder)
    other = tmp_path / "other"
    other.mkdir()
    (folder / "linked").symlink_to(other)
    (folder / "circle").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    linked = signature.of_path(folder)
    (other / "1.png").touch()
    assert len({before, linked, signature.of_path(folder)}) == 3


def test_a_single_file_has_a_signature_and_so_has_a_path_that_leads_nowhere(folder):
    before = signature.of_path(folder / "a/1.png")
    assert before != signature.of_path(folder / "none")
    os.utime(folder / "a/1.png", ns=(0, 0))
    assert signature.of_path(folder / "a/1.png") != before


def test_a_data_set_of_tensorflow_datasets_is_told_by_its_own_description(tmp_path):
    names = [signature.of_tfds(name, str(tmp_path)) for name in ("mnist", "mnist:3.0.1")]
    assert names[0] == names[1]
    info = tmp_path / "mnist" / "3.0.1" / signature.INFO
    info.parent.mkdir(parents=True)
    info.write_text("{}", encoding="utf-8")
    assert signature.of_tfds("mnist", str(tmp_path)) != names[0]
