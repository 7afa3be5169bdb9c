"""Folders as users have them: splits, classes, hidden files, links; what is left out is counted."""

import os
import pathlib
import unicodedata
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest

from tfgen.data import entries, examples, layout
from tfgen.errors import UserError


def png(value):
    """Returns a picture of 2x2 pixels that begins with a value, as a file's content."""
    return iio.imwrite("<bytes>", np.array([[value, 90], [90, 200]], np.uint8), extension=".png")


def folder(path, *names):
    """Writes files below a folder; pictures hold their number, from 1."""
    for number, name in enumerate(names, start=1):
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(number))
    return path


def zipped(path, *names):
    """Writes an archive of members with these very names; pictures hold their number, from 1."""
    path = path if path.suffix else path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names, start=1):
            archive.writestr(name, png(number))
    return path


def load(path, **options):
    """Loads a folder or an archive."""
    return examples.load(f"folder:{path}", **({"test_fraction": 0} | options))


def labels(part):
    """Returns the label of each picture, by its number."""
    return dict(zip(part.image[:, 0, 0, 0].tolist(), part.label.tolist(), strict=True))


def complaint(path):
    """Returns the sentence that refuses a folder."""
    with pytest.raises(UserError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


BOTH = pytest.mark.parametrize("make", [folder, zipped])
"""A folder and an archive of the same files are the same data."""


@BOTH
@pytest.mark.parametrize("top", ["pets/", "data/pets/", ""])
def test_folders_around_all_pictures_do_not_count(tmp_path, make, top):
    path = make(tmp_path / "pets.zip", f"{top}cat/1.png", f"{top}dog/1.png", f"{top}dog/2.png")
    data = load(path)
    assert labels(data.train) == {1: 0, 2: 1, 3: 1}
    assert data.description.class_names == ("cat", "dog")


@BOTH
def test_train_validation_and_test_folders_are_splits(tmp_path, make):
    names = [
        f"{split}/{pet}/{n}.png" for split in ("train", "val", "test") for pet in "cd" for n in "12"
    ]
    data = load(make(tmp_path / "pets", *names), test_fraction=0.5)
    assert labels(data.train) == {1: 0, 2: 0, 3: 1, 4: 1}
    assert labels(data.test) == {9: 0, 10: 0, 11: 1, 12: 1}
    assert data.description.held_out == "its own test split"
    assert data.description.unused == {"validation": 4}


def test_validation_images_are_drawn_from_the_validation_split(tmp_path):
    names = [f"{split}/{n}.png" for split in ("train", "validation", "test") for n in range(4)]
    data = load(folder(tmp_path / "a", *names), validation=3)
    numbers = set(data.test.image[:, 0, 0, 0].tolist())
    assert len(numbers) == 3
    assert numbers < {5, 6, 7, 8}
    assert data.size == 4
    assert data.description.unused == {"test": 4}
    with pytest.raises(UserError, match="validation: expected at most the 4 images"):
        load(tmp_path / "a", validation=5)


def test_a_validation_split_is_the_test_split_where_there_is_none(tmp_path):
    data = load(folder(tmp_path / "a", "Train/1.png", "Train/2.png", "Val/3.png"))
    assert data.train.image[:, 0, 0, 0].tolist() == [1, 2]
    assert data.test.image[:, 0, 0, 0].tolist() == [3]
    assert data.description.held_out == "its validation split, since it has no test split"


def test_a_class_named_train_among_others_is_a_class(tmp_path):
    data = load(folder(tmp_path / "a", "car/1.png", "train/1.png", "truck/1.png"))
    assert data.description.class_names == ("car", "train", "truck")


@pytest.mark.parametrize(
    ("names", "stray"),
    [
        (("cat/1.png", "dog/1.png", "cover.png"), "cover.png"),
        (("1.png", "2.png", "old/3.png"), "old/3.png"),
        (("train/c/1.png", "test/c/1.png", "cover.png"), "cover.png"),
        (("train/c/1.png", "test/c/1.png", "extra/c/1.png"), "extra/c/1.png"),
        (("train/c/1.png", "train/d/1.png", "test/1.png"), "test/1.png"),
        (("train/c/1.png", "train/d/1.png", "test/e/1.png"), "test/e/1.png"),
        (("val/c/1.png", "test/c/1.png"), "val"),
        (("train/1.png", "val/1.png", "validation/1.png"), "validation"),
    ],
)
@BOTH
def test_a_picture_that_fits_no_layout_is_refused_by_its_name(tmp_path, make, names, stray):
    assert stray in complaint(make(tmp_path / "a", *names))


def test_classes_are_in_the_order_of_their_numbers(tmp_path):
    data = load(folder(tmp_path / "a", "1/a.png", "2/a.png", "10/a.png"))
    assert labels(data.train) == {1: 0, 2: 1, 3: 2}
    assert data.description.class_names == ("1", "2", "10")


def test_names_sort_by_the_numbers_in_them():
    names = ["b2", "b10", "b1", "a10b3", "a10b20", "10", "9", "x", "09"]
    assert sorted(names, key=layout.natural) == [
        *("09", "9", "10", "a10b3", "a10b20"),
        *("b1", "b2", "b10", "x"),
    ]


@BOTH
def test_two_spellings_of_a_name_are_one_class(tmp_path, make):
    two = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    data = load(make(tmp_path / "a", f"{two[0]}/1.png", f"{two[1]}/2.png", "tea/1.png"))
    assert labels(data.train) == {1: 0, 2: 0, 3: 1}
    assert data.description.class_names == (two[0], "tea")


@BOTH
def test_hidden_and_system_files_are_left_out_and_counted(tmp_path, make):
    hidden = (
        "cat/._1.png",
        "dog/.DS_Store.png",
        ".ipynb_checkpoints/1-checkpoint.png",
        "__MACOSX/cat/._1.png",
        "__MACOSX/dog/._1.png",
        "cat/@eaDir/1.png",
        "cat/Thumbs.db",
    )
    data = load(make(tmp_path / "a", "cat/1.png", "dog/1.png", *hidden))
    assert labels(data.train) == {1: 0, 2: 1}
    assert data.description.left_out == {"hidden file": 3, "hidden folder": 3}


@BOTH
def test_other_suffixes_are_not_opened_but_counted(tmp_path, make):
    others = ("a.avif", "b.AVIF", "notes.txt", "noext", "c.png.bak")
    data = load(make(tmp_path / "a", "1.png", "2.JPG~", "3.PNG", "4.jfif", *others))
    assert data.size == 3
    assert data.description.left_out == {
        ".avif": 2,
        ".bak": 1,
        ".jpg~": 1,
        ".txt": 1,
        "file without a suffix": 1,
    }


def test_a_file_that_is_not_taken_is_not_read(tmp_path, monkeypatch):
    folder(tmp_path / "a", "1.png", "originals.tar")
    read = []
    whole = pathlib.Path.read_bytes
    monkeypatch.setattr(pathlib.Path, "read_bytes", lambda p: read.append(p.name) or whole(p))
    load(tmp_path / "a")
    assert read == ["1.png"]


def test_backslashes_separate_folders_in_an_archive(tmp_path):
    data = load(zipped(tmp_path / "a.zip", "cat\\1.png", "dog\\deep\\1.png", "dog\\2.png"))
    assert labels(data.train) == {1: 0, 2: 1, 3: 1} or labels(data.train) == {1: 0, 3: 1, 2: 1}
    assert data.description.class_names == ("cat", "dog")


def test_an_archive_may_have_an_upper_case_suffix(tmp_path):
    path = zipped(tmp_path / "PETS.ZIP", "cat/1.png", "dog/1.png")
    assert labels(load(path).train) == {1: 0, 2: 1}
    assert examples.load(f"image:{path}/dog/1.png", test_fraction=0).train.image[0, 0, 0, 0] == 2


def test_utf_8_names_that_an_archive_does_not_declare_are_read_as_such(tmp_path):
    path = zipped(tmp_path / "a.zip", "caf\u00e9/1.png", "tea/1.png")
    content = path.read_bytes()
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark) + place + 1  # the upper byte of the flags
        content = content[:at] + bytes([content[at] & ~0x08]) + content[at + 1 :]
    path.write_bytes(content)
    assert load(path).description.class_names == ("caf\u00e9", "tea")


def test_links_are_followed_but_not_in_circles(tmp_path):
    folder(tmp_path / "elsewhere", "1.png", "2.png")
    folder(tmp_path / "a", "dog/1.png")
    (tmp_path / "a" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a" / "dog" / "2.png").symlink_to(tmp_path / "elsewhere" / "2.png")
    (tmp_path / "a" / "dog" / "round").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "dog" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "a" / "dog" / "self.png").symlink_to(tmp_path / "a" / "dog" / "self.png")
    data = load(tmp_path / "a")
    assert sorted(data.train.label.tolist()) == [0, 0, 1, 1]
    assert data.description.left_out == {"broken link": 2, "cyclic link": 1}


def test_a_pipe_is_not_opened(tmp_path):
    folder(tmp_path / "a", "1.png")
    os.mkfifo(tmp_path / "a" / "2.png")
    assert load(tmp_path / "a").description.left_out == {"special file": 1}


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    """The tests may run as root, who may read everything."""
    folder(tmp_path / "a", "cat/1.png", "dog/1.png")
    scandir = os.scandir

    def refused(place):
        if str(place).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    assert f"{tmp_path / 'a' / 'dog'} (Permission denied)" in complaint(tmp_path / "a")


def test_a_picture_of_half_a_gigabyte_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "MOST_BYTES", 60)
    assert "1.png" in complaint(folder(tmp_path / "a", "1.png"))
    assert "1.png" in complaint(zipped(tmp_path / "a.zip", "1.png"))


def test_what_a_folder_without_pictures_holds_is_said(tmp_path):
    said = complaint(folder(tmp_path / "a", "1.avif", "2.avif", ".hidden.png", "notes"))
    assert "found none among 2 .avif, 1 file without a suffix, 1 hidden file" in said
