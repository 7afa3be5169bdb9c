"""The line about a data set, and in what two data sets differ."""

import json

import imageio.v3 as iio
import numpy as np
import pytest

from tfgen.data import description, examples, sources, splits
from tfgen.data.contents import Contents
from tfgen.errors import UserError


def pets(path, cats=3, dogs=2, start=0):
    """Writes a folder of two classes."""
    for name, count in (("cat", cats), ("dog", dogs)):
        (path / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = np.full((4, 4), 10 * number + len(name) + start, np.uint8)
            iio.imwrite(path / name / f"{number}.png", pixels)
    return path


def facts(path, **options):
    """Returns what is remembered of a folder, as it comes back from a file."""
    return json.loads(json.dumps(description.facts(examples.load(f"folder:{path}", **options))))


def line(name, **options):
    """Returns the line about a data set."""
    return description.line(description.counted(examples.load(name, **options)))


def test_the_line_says_source_counts_shape_classes_and_what_was_left_out(tmp_path):
    pets(tmp_path / "pets", 12, 8)
    (tmp_path / "pets" / "notes.txt").write_text("x")
    (tmp_path / "pets" / ".hidden").write_text("x")
    assert line(f"folder:{tmp_path / 'pets'}") == (
        f"folder:{tmp_path / 'pets'}: 18 training + 2 test pictures of 4x4x1 (held out at random), "
        "2 classes (0 cat, 1 dog), left out: 1 .txt, 1 hidden file"
    )


def test_the_line_of_sets_without_files():
    assert line("digits") == (
        "digits: 1,617 training + 180 test pictures of 8x8x1 (held out at random), 10 classes"
    )
    assert line("textures/brick", test_fraction=0.25, patch_size=32) == (
        "textures/brick: 1 training + 1 test pictures of 512x384x1 (the right part of the "
        "picture), in patches of 32x32x1, no classes"
    )
    assert line("digits", test_fraction=0) == (
        "digits: 1,797 pictures of 8x8x1, test is train, since test_fraction is 0, 10 classes"
    )
    assert "(set aside of the training pictures)" in line("digits", validation=10)


def test_a_long_list_of_classes_is_cut():
    known = {"num_classes": 100, "class_names": [f"c{n}" for n in range(100)]}
    counted = description.counted(examples.load("digits")) | known
    assert "100 classes (0 c0, 1 c1," in description.line(counted)
    assert ", 9 c9, ..., 99 c99)" in description.line(counted)


def test_moved_packed_and_rewritten_pictures_are_the_same(tmp_path):
    before = facts(pets(tmp_path / "pets"))
    (tmp_path / "pets").rename(tmp_path / "moved")
    for picture in (tmp_path / "moved").rglob("*.png"):
        iio.imwrite(picture.with_suffix(".bmp"), iio.imread(picture))
        picture.unlink()
    now = facts(tmp_path / "moved")
    assert now["fingerprint"]["names"] != before["fingerprint"]["names"]
    assert description.difference(before, now) == ""


def test_an_added_picture_is_counted_and_named(tmp_path):
    before = facts(pets(tmp_path / "pets", 12, 8))
    said = description.difference(before, facts(pets(tmp_path / "pets", 22, 8)))
    assert said == "18 train pictures then and 27 now (10 files new, such as cat/12.png)"


def test_a_removed_and_a_changed_picture_are_named(tmp_path):
    before = facts(pets(tmp_path / "pets", 12, 8))
    (tmp_path / "pets" / "dog" / "0.png").rename(tmp_path / "pets" / "dog" / "zero.png")
    said = description.difference(before, facts(tmp_path / "pets"))
    assert "(1 file new, such as dog/zero.png; 1 file gone, such as dog/0.png)" in said
    pets(tmp_path / "pets", 12, 8)
    (tmp_path / "pets" / "dog" / "zero.png").unlink()
    iio.imwrite(tmp_path / "pets" / "cat" / "3.png", np.eye(4, dtype=np.uint8) * 200)
    said = description.difference(before, facts(tmp_path / "pets"))
    assert said.startswith("as many pictures with other pixels, labels or order")
    assert "1 file of another size, such as cat/3.png" in said


def test_a_changed_pixel_of_a_file_of_the_same_size_is_seen(tmp_path):
    path = tmp_path / "a.npz"
    image = np.full((20, 4, 4), 50, np.uint8)
    np.savez(path, image=image)
    before = description.facts(examples.load(f"npz:{path}"))
    image[7, 1, 2] = 1
    np.savez(path, image=image)
    now = description.facts(examples.load(f"npz:{path}"))
    assert before["fingerprint"]["bytes"] == now["fingerprint"]["bytes"]
    assert "other pixels" in description.difference(before, now)


def test_a_renamed_class_is_named(tmp_path):
    before = facts(pets(tmp_path / "pets"))
    (tmp_path / "pets" / "dog").rename(tmp_path / "pets" / "hound")
    said = description.difference(before, facts(tmp_path / "pets"))
    assert said == "the class hound is new"


def test_sizes_of_many_files_are_not_remembered_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setattr(description, "MOST_FILES", 4)
    before = facts(pets(tmp_path / "pets"))
    assert before["fingerprint"]["files"] is None
    assert before["fingerprint"]["num_files"] == 5
    after = facts(pets(tmp_path / "pets", 9))
    said = description.difference(before, after)
    assert said == "4 train pictures then and 10 now"


# what is held out


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_of_few_pictures_one_is_held_out(tmp_path, count):
    data = examples.load(f"folder:{pets(tmp_path / 'pets', count, 0)}")
    assert (len(data.train), len(data.test)) == (count - 1, 1)
    assert not data.description.tests_on_train
    assert not {i.tobytes() for i in data.train.image} & {i.tobytes() for i in data.test.image}


def test_a_single_picture_of_a_folder_is_tested_on_and_said(tmp_path):
    data = examples.load(f"folder:{pets(tmp_path / 'pets', 1, 0)}")
    assert data.shape == (4, 4, 1)
    assert data.description.tests_on_train
    assert data.description.held_out == "test is train, since there is one picture alone"


@pytest.mark.parametrize(("count", "fraction"), [(4, 0.9), (10, 0.99), (2, 0.8)])
def test_a_share_that_leaves_nothing_to_train_on_is_refused(tmp_path, count, fraction):
    with pytest.raises(UserError, match=f"test_fraction: expected .* of {count} images"):
        examples.load(f"folder:{pets(tmp_path / 'pets', count, 0)}", test_fraction=fraction)


def test_a_texture_keeps_a_column(tmp_path):
    iio.imwrite(tmp_path / "a.png", np.zeros((8, 8), np.uint8))
    name = f"image:{tmp_path / 'a.png'}"
    assert examples.load(name, test_fraction=0.01).test.image.shape == (1, 8, 1, 1)
    with pytest.raises(UserError, match=r"test_fraction: expected .* 8 columns"):
        examples.load(name, test_fraction=0.99)


# splits of a source


def contents(**labels):
    """Returns splits of pictures that hold their label, by the labels of each."""

    def pictures(values):
        return [(np.full((2, 2), value or 9, np.uint8), value) for value in values]

    sizes = {split: len(values) for split, values in labels.items()}
    return Contents({split: pictures(v) for split, v in labels.items()}, sizes=sizes)


def loaded(monkeypatch, found, **options):
    """Loads a source's contents."""
    monkeypatch.setattr(sources, "read", lambda *_: found)
    return examples.load("any", **options)


def test_a_test_split_without_labels_gives_way_to_the_validation_split(monkeypatch):
    found = contents(train=[0, 1, 2], validation=[1, 2], test=[None, None])
    data = loaded(monkeypatch, found)
    assert data.test.label.tolist() == [1, 2]
    assert data.description.held_out == "its validation split; its test split has no labels"
    assert data.description.unused == {"test": 2}


def test_a_test_split_without_labels_is_not_used(monkeypatch):
    data = loaded(monkeypatch, contents(train=range(10), test=[None, None]))
    assert (len(data.train), len(data.test)) == (9, 1)
    assert data.test.label.min() >= 0
    assert data.description.held_out == splits.RANDOM + splits.UNLABELLED


def test_a_part_of_the_training_pictures_leaves_the_test_split_out_and_says_so(monkeypatch):
    data = loaded(monkeypatch, contents(train=range(10), test=range(5)), max_images=4)
    assert (len(data.train), len(data.test)) == (3, 1)
    assert data.description.unused == {"test": 5}
