"""Decoding of image files, films and NumPy archives."""

import io
import pathlib
import zipfile
import zlib

import imageio.v3 as iio
import numpy as np
from PIL import Image

from tfgen.errors import UserError


def image(subject: str, path: pathlib.PurePath, content: bytes) -> np.ndarray:
    """Decodes an image file; of several frames, the first.

    Args:
        subject: what a complaint begins with, such as `dataset image:a.png`.
        path: of the file, whose suffix tells the format.
        content: of the file.

    Returns:
        uint8 [h, w] or [h, w, c], without transparency.

    Raises:
        UserError: if the file cannot be decoded, or has other than 8 or 16 bits a channel.
    """
    try:
        # index=0: of an animation the first frame
        picture = iio.imread(io.BytesIO(content), index=0, extension=path.suffix.lower())
    except Image.DecompressionBombError as error:
        raise UserError(
            f"{subject}: expected a smaller image and found one in {path} that Pillow refuses "
            f"({error})"
        ) from error
    except (OSError, ValueError, SyntaxError) as error:  # Pillow's other errors are of these kinds
        raise UserError(f"{subject}: expected an image file and could not decode {path}") from error
    return _as_uint8(subject, path, picture)


def _as_uint8(subject: str, path: pathlib.PurePath, picture: np.ndarray) -> np.ndarray:
    """Returns a picture as 8 bits a channel, without transparency."""
    if picture.dtype == np.bool_:
        return picture.astype(np.uint8) * 255
    if picture.dtype == np.uint16:
        return (picture >> 8).astype(np.uint8)  # the upper of two bytes
    if picture.dtype != np.uint8:
        raise UserError(
            f"{subject}: expected 8 or 16 bits a channel and found {picture.dtype} in {path}"
        )
    # grey or colour, with a channel of transparency after it
    has_alpha = picture.ndim == 3 and picture.shape[-1] in (2, 4)
    return picture[..., :-1] if has_alpha else picture


def film(name: str, path: pathlib.Path) -> np.ndarray:
    """Decodes all frames of a film file, uint8 [t, h, w, c].

    Raises:
        UserError: if the file cannot be decoded.
    """
    try:
        return iio.imread(path)
    except (OSError, ValueError, ImportError, Image.DecompressionBombError) as error:
        raise UserError(
            f"dataset {name}: expected an .npz of clips or a film and could not read {path}"
        ) from error


def npz(name: str, path: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads the arrays of a NumPy archive, by name; pickled objects are refused.

    Raises:
        UserError: if the file cannot be read.
    """
    try:
        # opened here: NumPy leaves the file of a damaged archive open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    # TypeError: a single array (.npy), which NumPy loads as such; zlib's: a damaged archive
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError, TypeError) as error:
        raise UserError(
            f"dataset {name}: expected a NumPy .npz archive and could not read {path}"
        ) from error
