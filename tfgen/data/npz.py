"""Archives of NumPy arrays: what they hold, read only where it is wanted and can be."""

import contextlib
import pathlib
import zipfile
from collections.abc import Collection, Iterator
from typing import IO

import numpy as np

from tfgen.data import arrays
from tfgen.errors import UserError

MOST_BYTES = 2**35
"""Bytes of the largest array that is read."""

NEAR_LABEL = ("labels", "y", "target", "targets", "class", "classes", "y_train", "label_train")
"""Names that others give to labels, without regard to case."""


def read(
    subject: str, path: pathlib.Path, wanted: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Reads arrays of an archive, by name; pickled objects are refused.

    Args:
        subject: what a complaint begins with, such as `dataset npz:a.npz`.
        path: of the archive.
        wanted: names; others are not read. None: all.

    Raises:
        UserError: if the file cannot be read, or an array has more than `MOST_BYTES`.
    """
    with _answered(subject, path), zipfile.ZipFile(path) as archive:
        return {
            name: _array(subject, path, archive, member)
            for name, member in _members(archive).items()
            if wanted is None or name in wanted
        }


def names(subject: str, path: pathlib.Path) -> list[str]:
    """Returns the names of the arrays in an archive.

    Raises:
        UserError: if the file cannot be read.
    """
    with _answered(subject, path), zipfile.ZipFile(path) as archive:
        return sorted(_members(archive))


def unpacked(subject: str, path: pathlib.Path) -> int:
    """Returns the bytes of the arrays in an archive, in memory.

    Raises:
        UserError: if the file cannot be read.
    """
    with _answered(subject, path), zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def pictures(subject: str, path: pathlib.Path) -> arrays.Pictures:
    """Yields the pictures in the array `image` of an archive, with their labels in `label`.

    Args:
        subject: what a complaint begins with.
        path: of the archive.

    Raises:
        UserError: if there are none, or the labels are not of these pictures.
    """
    known = names(subject, path)
    if "image" not in known:
        raise UserError(f"{subject}: expected an array named image and found {known or 'none'}")
    near = [key for key in known if key.lower() in (*NEAR_LABEL, "label")]
    if near and "label" not in known:
        raise UserError(
            f"{subject}: expected labels under the name label, or none, and found {near[0]}; save "
            "the array under that name, or leave it out"
        )
    found = read(subject, path, ("image", "label"))
    image, label = found["image"], found.get("label")
    _check_images(subject, image)
    if label is not None:
        if label.shape[:1] != image.shape[:1]:
            raise UserError(
                f"{subject}: expected {len(image)} labels and found shape {list(label.shape)}"
            )
        label = arrays.check_labels(subject, "label", label)
    for number, picture in enumerate(image):
        yield picture, None if label is None else label[number]


def _check_images(subject: str, image: np.ndarray) -> None:
    """Refuses arrays that are no images [n, h, w] or [n, h, w, c], or one picture alone."""
    shape = list(image.shape)
    if image.ndim not in (3, 4) or not image.size:
        raise UserError(
            f"{subject}: expected image of shape [n, h, w] or [n, h, w, c], with no side of 0, and "
            f"found {shape}"
        )
    if image.ndim == 3 and shape[-1] in (1, 3, 4) and min(shape[:2]) > arrays.SIDE:
        raise UserError(
            f"{subject}: expected image of shape [n, h, w] or [n, h, w, c] and found {shape}, as "
            "of one picture in colour; save image[None], or image[..., None] for grey pictures"
        )


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Returns the arrays in an archive, by name."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    return {member.filename.removesuffix(".npy"): member for member in members}


def _array(
    subject: str, path: pathlib.Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> np.ndarray:
    """Reads an array, after its header."""
    with archive.open(member) as file:
        shape, dtype = _header(file)
        # without NumPy's integers, which overflow
        size = dtype.itemsize
        for side in shape:
            size *= side
    said = f"{subject}: expected"
    if dtype.hasobject:
        raise UserError(
            f"{said} numbers and found Python objects in {member.filename} of {path}; save "
            "arrays of one shape and dtype, such as numpy.stack(images)"
        )
    if max(size, member.file_size) > MOST_BYTES:
        raise UserError(
            f"{said} arrays of at most {MOST_BYTES:,} bytes and found "
            f"{max(size, member.file_size):,} in {member.filename} of {path}"
        )
    if size > member.file_size:
        raise UserError(
            f"{said} {size:,} bytes, by its header, and found {member.file_size:,} in "
            f"{member.filename} of {path}"
        )
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Reads the shape and dtype from an array's header."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    return shape, dtype


@contextlib.contextmanager
def _answered(subject: str, path: pathlib.Path) -> Iterator[None]:
    """Answers whatever a damaged archive raises with one sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # zipfile's, zlib's, NumPy's: of many kinds
        single = isinstance(error, zipfile.BadZipFile) and _is_single(path)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        found = (
            f"found a single array in {path}; save it by numpy.savez(path, image=array)"
            if single
            else f"could not read {path} ({reason})"
        )
        raise UserError(f"{subject}: expected a NumPy .npz archive and {found}") from error


def _is_single(path: pathlib.Path) -> bool:
    """Tells whether a file holds one array and is no archive."""
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"
