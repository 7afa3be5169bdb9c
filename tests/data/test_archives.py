"""Pictures in .zip archives, and CIFAR-10's binary batches."""

import pathlib
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest

from tfgen.data import examples
from tfgen.errors import UserError

RNG = np.random.default_rng(0)
SHARED = pathlib.Path(__file__).parents[2].parent / "shared" / "data"


def load(name, **options):
    """Loads everything as training data."""
    return examples.load(name, **({"test_fraction": 0} | options)).train


def complaint(name, **options):
    """Returns the sentence that refuses a data set."""
    with pytest.raises(UserError) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zipped(folder, path, compression=zipfile.ZIP_DEFLATED):
    """Archives a folder, with its members in random order, sub-folders among them."""
    files = sorted(folder.rglob("*"))
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number in RNG.permutation(len(files)):
            archive.write(files[number], files[number].relative_to(folder))
    return path


def same(ours, theirs):
    """Tells whether two data sets have the same pictures and labels, in the same order."""
    return np.array_equal(ours.image, theirs.image) and np.array_equal(ours.label, theirs.label)


# .zip archives


@pytest.mark.parametrize(
    "names", [("b.png", "a.png", "c.PNG"), ("dog/1.png", "cat/x/1.png", "cat/0.png", "cat-2/9.png")]
)
def test_a_zip_of_pictures_equals_the_folder_of_them(tmp_path, names):
    """Pictures, order and labels are equal; other files are left out in both."""
    labelled = "/" in names[0]
    for name in names:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        iio.imwrite(path, RNG.integers(0, 256, (5, 4, 3), np.uint8), extension=".png")
    (path.parent / "notes.txt").write_text("no picture")
    folder = load(f"folder:{tmp_path / 'folder'}")
    found = load(f"folder:{zipped(tmp_path / 'folder', tmp_path / 'all.zip')}")
    assert len(found) == len(names)
    assert (found.label is not None) == labelled
    assert same(found, folder)


def test_a_folder_in_a_zip_equals_the_folder(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "pets"
    for name in ("all/cat/1.png", "all/cat/2.png", "all/dog/1.png", "all/.hidden/1.png", "x.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        iio.imwrite(folder / name, rng.integers(0, 256, (8, 8, 3), np.uint8))
    zipped(folder, tmp_path / "pets.zip")
    for inside in ("all", "all/cat"):
        ours = load(f"folder:{tmp_path / 'pets.zip' / inside}", test_fraction=0)
        assert same(ours, load(f"folder:{folder / inside}", test_fraction=0))
    said = complaint(f"folder:{tmp_path / 'pets.zip' / 'birds'}")
    assert "expected the archive to hold birds/ and found ./, all/cat/, all/dog/" in said


def test_a_corrupt_picture_in_a_folder_in_a_zip_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        archive.writestr("all/cat/1.png", b"no picture")
    said = complaint(f"folder:{tmp_path / 'pets.zip' / 'all'}")
    assert str(pathlib.Path("pets.zip") / "all" / "cat" / "1.png") in said


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


# CIFAR-10's binary batches


@pytest.fixture
def batches(tmp_path):
    """Two batches of 4 and 3 images, each a label byte, then a red, a green, a blue plane."""
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
