"""Samples of more than 8 bits in picture files, of which Pillow alone keeps the upper 8."""

import io
import pathlib
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin

from tfgen.errors import UserError

BITS_PER_SAMPLE, PHOTOMETRIC, ORIENTATION, MAX_SAMPLE, PLANAR = 258, 262, 274, 281, 284
"""Tags of TIFF; the orientation is EXIF's too."""

DEPTHS = (8, 10, 12, 14, 16)
"""The depths that the largest sample may make evident."""

SIXTEEN = 2**16 - 1


class Samples(NamedTuple):
    """The samples of a picture.

    Attributes:
        values: uint16 [h, w, c].
        white: the sample that stands for white, where the file declares another than 65,535.
        inverted: whether 0 stands for white instead.
        mode: Pillow's, without the depth: L, LA, RGB, RGBA or CMYK.
    """

    values: np.ndarray
    white: int | None
    inverted: bool
    mode: str


def samples(picture: ImageFile.ImageFile, content: bytes) -> Samples | None:
    """Returns the samples of a picture that has more than 8 bits a sample, else None.

    Args:
        picture: as Pillow opened it, not loaded.
        content: of the file.

    Raises:
        Exception: whatever a decoder raises; ValueError where it would read wrong numbers.
    """
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        return _tiff(picture, content)
    if picture.format == "PNG":
        return _png(picture, content)
    return _netpbm(picture, content) if picture.format == "PPM" else None


def evident_white(values: np.ndarray) -> int:
    """Returns the largest sample of the least depth of `DEPTHS` that holds all values."""
    largest = int(values.max(initial=0))
    return next(2**depth - 1 for depth in DEPTHS if largest < 2**depth)


def to_bytes(values: np.ndarray, white: int) -> np.ndarray:
    """Scales samples from 0..white to 0..255, to the nearest integer."""
    scaled = (values.astype(np.uint32) * 255 + white // 2) // white
    return np.minimum(scaled, 255).astype(np.uint8)


def _png(picture: ImageFile.ImageFile, content: bytes) -> Samples | None:
    if not str(picture.tile[0][3]).endswith(";16B"):
        return None
    import tensorflow as tf  # libpng gives all 16 bits

    orientation = picture.getexif().get(ORIENTATION, 1)
    picture.load()  # Pillow's checks are the stricter ones
    values = tf.io.decode_png(content, channels=0, dtype=tf.uint16).numpy()
    if "transparency" in picture.info:  # one colour, which libpng leaves to its caller
        is_it = (values == np.array(picture.info["transparency"])).all(axis=-1, keepdims=True)
        alpha = np.where(is_it, 0, SIXTEEN).astype(np.uint16)
        values = np.concatenate([values, alpha], axis=-1)
    values = turned(values, orientation)
    return Samples(values, None, False, {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[values.shape[-1]])


def _netpbm(picture: ImageFile.ImageFile, content: bytes) -> Samples | None:
    decoder, _, offset, known = picture.tile[0]
    if known == "I;16B":
        white = SIXTEEN
    elif isinstance(known, tuple) and isinstance(known[-1], int) and known[-1] > 255:
        white = known[-1]
    else:
        return None
    channels = 3 if picture.mode == "RGB" else 1
    width, height = picture.size
    if decoder == "ppm_plain":
        words = re.sub(rb"#[^\r\n]*", b"", content[offset:]).split()[: height * width * channels]
        values = np.array([int(word) for word in words])
    else:
        values = np.frombuffer(content, ">u2", height * width * channels, offset)
    values = np.minimum(values.reshape(height, width, channels), white).astype(np.uint16)
    declared = None if white == SIXTEEN else white
    return Samples(values, declared, False, "RGB" if channels == 3 else "L")


def _tiff(picture: TiffImagePlugin.TiffImageFile, content: bytes) -> Samples | None:
    tags = picture.tag_v2
    bits = max(tags.get(BITS_PER_SAMPLE, (1,)))
    if bits <= 8 or picture.mode in ("I", "F"):
        return None
    most = tags.get(MAX_SAMPLE, SIXTEEN)
    white = min(2**bits - 1, max(most) if isinstance(most, tuple) else most)
    inverted = tags.get(PHOTOMETRIC) == 0
    if picture.mode.startswith("I;16"):
        mode, values = "L", np.asarray(picture).astype(np.uint16)[..., None]
    else:
        mode = picture.mode
        if tags.get(PLANAR, 1) != 1 or "a;16" in _raw(picture.tile[0]):
            raise ValueError("16 bits in separate planes, or with premultiplied transparency")
        upper = np.asarray(picture).astype(np.uint16)
        values = upper << 8 | _lower_bytes(content)
    return Samples(values, white if 0 < white < SIXTEEN else None, inverted, mode)


def _lower_bytes(content: bytes) -> np.ndarray:
    """Returns the lower bytes of a TIFF's samples of 16 bits: read with the bytes swapped."""
    picture = Image.open(io.BytesIO(content), formats=("TIFF",))
    native = "L" if sys.byteorder == "little" else "B"  # N in a tile's raw mode
    swapped = []
    for tile in picture.tile:
        raw = _raw(tile)
        is_little = raw[-1] == "L" or (raw[-1] == "N" and native == "L")
        others = tile[3][1:] if isinstance(tile[3], tuple) else ()
        swapped.append(tile._replace(args=(raw[:-1] + ("B" if is_little else "L"), *others)))
    picture.tile = swapped
    return np.asarray(picture).astype(np.uint16)


def _raw(tile: tuple) -> str:
    """Returns how the samples of a TIFF's tile lie in the file, in Pillow's words."""
    known = tile[3]
    return str(known[0] if isinstance(known, tuple) else known)


def turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """Turns a picture [h, w, c] upright, by EXIF's number of its orientation."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return values[:: -1 if rows else 1, :: -1 if columns else 1]


def check_one_depth(subject: str, evident: Mapping[int, pathlib.PurePath]) -> None:
    """Raises UserError if pictures evidently have samples of several depths.

    Args:
        subject: what a complaint begins with.
        evident: the samples that stand for white, each with a file.
    """
    if len(evident) > 1:
        found = [f"{top.bit_length()} in {file}" for top, file in evident.items()]
        raise UserError(
            f"{subject}: expected samples of one depth and found bits used: "
            f"{', '.join(found)}; give --bit_depth={max(evident).bit_length()}, or "
            "what the camera has"
        )
