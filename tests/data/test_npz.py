"""Archives of arrays: what is read of them, and what is refused before it is read."""

import io
import zipfile

import numpy as np
import pytest

from tfgen.data import npz
from tfgen.errors import UserError

IMAGE = np.random.default_rng(0).integers(0, 256, (3, 6, 5), np.uint8)


def refusal(path):
    """Returns the sentence that refuses an archive."""
    with pytest.raises(UserError) as caught:
        list(npz.pictures("data", path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("data: expected ")
    assert str(path) in str(caught.value)
    return str(caught.value)


def announced(path, shape, dtype="<f8", content=b""):
    """Writes an archive whose array has a header and little else."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("image.npy", header.getvalue() + content)
    return path


def test_only_what_is_wanted_is_read(tmp_path):
    path = announced(tmp_path / "a.npz", (10**6, 10**6))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("small.npy", np_bytes(IMAGE))
    found = npz.read("data", path, ("small",))
    assert found.keys() == {"small"}
    np.testing.assert_array_equal(found["small"], IMAGE)
    assert npz.names("data", path) == ["image", "small"]


def np_bytes(array):
    """Returns the content of an .npy."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(5, 10**6, 10**6), (2**31, 2**31, 2**31), (3, 10**5, 10**5)])
def test_an_array_of_terabytes_is_refused_by_its_header(tmp_path, shape):
    assert "at most 34,359,738,368 bytes" in refusal(announced(tmp_path / "a.npz", shape))


def test_an_array_that_its_file_cannot_hold_is_refused_before_memory_is_taken(tmp_path):
    said = refusal(announced(tmp_path / "a.npz", (1000, 1000, 1000), content=bytes(80)))
    assert "8,000,000,000 bytes, by its header" in said


def test_a_single_array_is_named_whatever_its_suffix(tmp_path):
    for name in ("a.npy", "a.npz"):
        (tmp_path / name).write_bytes(np_bytes(IMAGE))
        assert "numpy.savez(path, image=array)" in refusal(tmp_path / name)


def test_objects_are_named_and_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.array([{"a": 1}, None], dtype=object))
    assert "Python objects" in refusal(tmp_path / "a.npz")


def test_a_member_that_is_no_array_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("image.npy", b"no array")
    refusal(tmp_path / "a.npz")


def test_a_folder_is_no_archive(tmp_path):
    refusal(tmp_path)


def test_pictures_come_with_their_labels(tmp_path):
    np.savez(tmp_path / "a.npz", image=IMAGE, label=np.array([2, 0, 1]))
    pictures, labels = zip(*npz.pictures("data", tmp_path / "a.npz"), strict=True)
    np.testing.assert_array_equal(pictures, IMAGE)
    assert labels == (2, 0, 1)
