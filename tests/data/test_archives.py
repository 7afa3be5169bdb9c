"""Pictures in archives: a .zip is as good as its folder; CIFAR-10's binary batches; a random part of a data set."""

import pathlib
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest

from tfgen.data import examples, splits
from tfgen.errors import UserError

RNG = np.random.default_rng(0)
SHARED = pathlib.Path(__file__).parents[2].parent / "shared" / "data"


def load(name, **options):
    """Everything as training data."""
    return examples.load(name, **({"test_fraction": 0} | options)).train


def complaint(name, **options):
    """The sentence about it."""
    with pytest.raises(UserError) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(folder, path, compression=zipfile.ZIP_DEFLATED):
    """An archive of a folder, its members in no order, folders among them."""
    files = sorted(folder.rglob("*"))
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number in RNG.permutation(len(files)):
            archive.write(files[number], files[number].relative_to(folder))
    return path


def same(ours, theirs):
    """Whether two data sets have the same pictures and labels, in the same order."""
    return np.array_equal(ours.image, theirs.image) and np.array_equal(ours.label, theirs.label)


# --- .zip --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [("b.png", "a.png", "c.PNG"), ("dog/1.png", "cat/x/1.png", "cat/0.png", "cat-2/9.png")]
)
def test_a_zip_of_pictures_equals_the_folder_of_them(tmp_path, names):
    """Order and labels too; what is no picture is passed over in both."""
    for name in [*names, "notes.txt"]:
        path = (
            tmp_path
            / "folder"
            / (name if name != "notes.txt" or "/" not in names[0] else f"dog/{name}")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no picture")
        if name != "notes.txt":
            iio.imwrite(path, RNG.integers(0, 256, (5, 4, 3), np.uint8), extension=".png")
    folder = load(f"folder:{tmp_path / 'folder'}")
    found = load(f"folder:{zipped(tmp_path / 'folder', tmp_path / 'all.zip')}")
    assert len(found) == len(names)
    assert (found.label is not None) == ("/" in names[0])
    assert same(found, folder)


def test_a_zip_without_pictures_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("no picture")
    assert "found none" in complaint(f"folder:{zipped(tmp_path / 'folder', tmp_path / 'all.zip')}")


def test_a_file_that_is_no_zip_is_named(tmp_path):
    (tmp_path / "all.zip").write_bytes(b"PK, but no archive")
    assert str(tmp_path / "all.zip") in complaint(f"folder:{tmp_path / 'all.zip'}")


@pytest.mark.parametrize("damage", ["checksum", "stream", "cut", "password"])
def test_a_zip_that_cannot_be_read_to_its_end_is_named(tmp_path, damage):
    (tmp_path / "folder").mkdir()
    iio.imwrite(tmp_path / "folder" / "a.bmp", RNG.integers(0, 256, (30, 30, 3), np.uint8))
    compression = zipfile.ZIP_STORED if damage == "checksum" else zipfile.ZIP_DEFLATED
    path = zipped(tmp_path / "folder", tmp_path / "all.zip", compression)
    content = bytearray(path.read_bytes())
    if damage == "password":
        content[6] |= 1  # the flag of an encrypted member, in its header and in the directory
        content[content.index(b"PK\x01\x02") + 8] |= 1
    elif damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[36:60] = bytes(255 - byte for byte in content[36:60])
    path.write_bytes(content)
    assert str(path) in complaint(f"folder:{path}")


def test_a_corrupt_picture_in_a_zip_is_named(tmp_path):
    (tmp_path / "folder" / "dog").mkdir(parents=True)
    (tmp_path / "folder" / "dog" / "1.png").write_bytes(b"not a picture")
    assert "dog/1.png" in complaint(f"folder:{zipped(tmp_path / 'folder', tmp_path / 'all.zip')}")


# --- CIFAR-10's binary batches ---------------------------------------------------------------------------------------


@pytest.fixture
def batches(tmp_path):
    """Two batches of four and three images as CIFAR-10 has them: a label byte, then a red, a green, a blue plane."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    pixels, label = RNG.integers(0, 256, (7, 32, 32, 3), np.uint8), RNG.integers(0, 10, 7, np.uint8)
    rows = [
        bytes([number]) + image.transpose(2, 0, 1).tobytes()
        for image, number in zip(pixels, label, strict=True)
    ]
    (folder / "data_batch_1.bin").write_bytes(b"".join(rows[:4]))
    (folder / "data_batch_2.bin").write_bytes(b"".join(rows[4:]))
    (folder / "readme.html").write_text("not a batch")
    return folder, examples.Examples(pixels, label.astype(np.int64))


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
def test_binary_batches_are_read_with_their_labels(batches, tmp_path, kind):
    folder, truth = batches
    path = {"file": folder / "data_batch_1.bin", "folder": folder, "zip": tmp_path / "all.zip"}[
        kind
    ]
    if kind == "zip":
        zipped(folder.parent, path)
    found = load(f"cifar10:{path}")
    count = 4 if kind == "file" else 7
    assert same(found, examples.Examples(truth.image[:count], truth.label[:count]))
    assert found.label.dtype == np.int64


def test_a_truncated_batch_is_refused(batches):
    folder, _ = batches
    path = folder / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:-1])
    for name in (folder, path):
        sentence = complaint(f"cifar10:{name}")
        assert "data_batch_2.bin" in sentence
        assert "3,073" in sentence
        assert "9,218" in sentence


def test_a_folder_without_batches_is_refused(tmp_path):
    (tmp_path / "readme.html").write_text("not a batch")
    assert ".bin" in complaint(f"cifar10:{tmp_path}")


def test_an_empty_batch_is_refused(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(b"")
    assert "found none" in complaint(f"cifar10:{tmp_path}")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
def test_the_real_first_batch_has_ten_classes_of_about_a_thousand_images():
    found = load(f"cifar10:{SHARED / 'cifar10_data_batch_1_bin.zip'}")
    assert found.image.shape == (10_000, 32, 32, 3)
    counts = np.bincount(found.label)
    assert len(counts) == 10
    assert counts.min() > 900


# --- a part of a data set ----------------------------------------------------------------------------------------


def numbered(path, count=50):
    """A data set whose pictures tell their number, also their label."""
    values = np.arange(count, dtype=np.uint8)
    np.savez(path, image=np.tile(values[:, None, None], (1, 2, 2)), label=values.astype(np.int64))
    return f"npz:{path}"


def test_at_most_so_many_images_are_taken_once_each_with_their_labels(tmp_path):
    found = load(numbered(tmp_path / "a.npz"), max_images=20)
    values = found.image[:, 0, 0, 0]
    assert len(set(values)) == len(values) == 20
    np.testing.assert_array_equal(found.label, values)


def test_more_than_there_are_takes_all_in_their_order(tmp_path):
    name = numbered(tmp_path / "a.npz")
    for most in (50, 51):
        assert same(load(name, max_images=most), load(name))


def test_the_part_is_fixed_and_not_the_first_ones(tmp_path):
    """The first 20 of 50 are drawn by chance once in 10^13."""
    name, found = numbered(tmp_path / "a.npz"), []
    for seed in (0, 1):
        np.random.seed(seed)
        found.append(load(name, max_images=20))
    assert same(*found)
    assert set(found[0].label) != set(range(20))


def test_every_image_is_as_likely_to_be_taken():
    """Algorithm R with its seed taken out: 4,000 draws of 3 of 10; 5 standard errors are 145, missed in 1 of 10^5."""
    rng, counts = np.random.default_rng(1), np.zeros(10)
    default_rng = np.random.default_rng
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda seed: default_rng(rng.integers(2**32)))
        for _ in range(4000):
            for value, _ in splits.reservoir(((i, None) for i in range(10)), 3):
                counts[value] += 1
    assert counts.sum() == 12_000
    assert np.abs(counts - 1200).max() < 145


def test_held_out_images_are_of_the_part(tmp_path):
    data = examples.load(numbered(tmp_path / "a.npz"), max_images=20, test_fraction=0.25)
    assert (data.size, len(data.test)) == (15, 5)
    assert not set(data.train.label) & set(data.test.label)


def test_the_part_of_a_source_is_of_its_training_split(monkeypatch):
    """The source's own test images are not touched; a share of the part is held out in their place."""
    monkeypatch.setattr(
        examples.sources,
        "read",
        lambda *_: {"train": split(range(10)), "test": split(range(90, 99))},
    )

    def split(values):
        return ((np.full((2, 2), value, np.uint8), value) for value in values)

    data = examples.load("any", max_images=4, test_fraction=0.25)
    assert (data.size, len(data.test)) == (3, 1)
    assert {*data.train.label, *data.test.label} < set(range(10))


def test_a_part_with_missing_pixels_hides_the_same_ones_always(tmp_path):
    one, two = (
        load(numbered(tmp_path / "a.npz"), max_images=20, missing="salt_and_pepper:0.5")
        for _ in range(2)
    )
    assert one.mask.shape == (20, 2, 2, 1)
    assert np.array_equal(one.mask, two.mask)
    assert 0.2 < one.mask.mean() < 0.8
