"""Damaged picture files and archives: each is read, or refused with one sentence."""

import functools
import io
import pathlib

import numpy as np
import pytest
from PIL import Image
from support.picture_files import DEEP, PIXELS, netpbm, png, saved, tiff

from tfgen.data import arrays, npz
from tfgen.data.decode import Decoder
from tfgen.data.reading import Reading
from tfgen.errors import UserError

LARGE = np.tile(PIXELS, (6, 8, 1))
GREY = LARGE[..., 0]


def exif(orientation=6):
    """Returns EXIF data that turn a picture."""
    found = Image.Exif()
    found[0x0112] = orientation
    return found


PICTURES = {
    "png": saved(LARGE, "PNG", exif=exif()),
    "png16": png(DEEP),
    "palette": saved(Image.fromarray(LARGE).quantize(8), "PNG", transparency=3),
    "jpeg": saved(LARGE, "JPEG", exif=exif()),
    "progressive": saved(LARGE, "JPEG", progressive=True),
    "cmyk": saved(Image.fromarray(LARGE).convert("CMYK"), "JPEG"),
    "gif": saved(GREY, "GIF"),
    "animation": saved(
        Image.fromarray(GREY), "GIF", save_all=True, append_images=[Image.fromarray(GREY[::-1])]
    ),
    "bmp": saved(LARGE, "BMP"),
    "webp": saved(LARGE, "WEBP"),
    "webp_lossless": saved(np.dstack([LARGE, GREY]), "WEBP", lossless=True),
    "tiff": saved(LARGE, "TIFF"),
    "tiff_lzw": saved(LARGE, "TIFF", compression="tiff_lzw"),
    "tiff_jpeg": saved(LARGE, "TIFF", compression="jpeg"),
    "tiff_fax": saved(Image.fromarray(GREY > 99), "TIFF", compression="group4"),
    "tiff16": tiff(DEEP[..., :3], photometric="rgb"),
    "tiff16_grey": tiff(DEEP[..., 0], compression="zlib"),
    "tiff_planes": tiff(LARGE.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
    "pgm16": netpbm(DEEP[..., :1], 4095),
    "plain": netpbm(PIXELS, 255, plain=True),
    "ppm": netpbm(PIXELS, 100),
}
"""A file of each kind, whole."""


def archive(save, **named):
    """Returns the content of an .npz."""
    file = io.BytesIO()
    save(file, **named)
    return file.getvalue()


ARCHIVES = {
    "stored": archive(np.savez, image=LARGE[None], label=np.zeros(1, int)),
    "compressed": archive(np.savez_compressed, image=LARGE[None], label=np.zeros(1, int)),
    "floats": archive(np.savez, image=np.linspace(-1, 1, 300).reshape(3, 10, 10)),
    "objects": archive(np.savez, image=np.array([{"a": 1}, None], object)),
}


def damaged(content, rng):
    """Returns a file with some bytes changed, cut, doubled, or of other numbers at its start."""
    found = bytearray(content)
    kind = rng.integers(5)
    place = int(rng.integers(len(found)))
    if kind == 0:
        return bytes(found[:place])
    if kind == 1:
        found[place:place] = rng.bytes(int(rng.integers(1, 20)))
    elif kind == 2:
        del found[place : place + int(rng.integers(1, 40))]
    else:
        # most numbers that decoders trust are at the start; those of TIFF and .zip at the end, too
        reach = len(found) if kind == 3 else min(len(found), 200)
        start = int(rng.choice([0, max(0, len(found) - reach)]))
        for _ in range(int(rng.integers(1, 12))):
            at = start + int(rng.integers(reach))
            found[min(at, len(found) - 1)] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
    return bytes(found)


def outcome(read):
    """Returns whether a file was read; a refusal must be one sentence."""
    try:
        read()
    except UserError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("data: expected ")
        return False
    return True


def count_read(files, read, number, seed):
    """Damages files, one kind after the other, and returns how many were read all the same."""
    rng = np.random.default_rng(seed)
    kinds = list(files.values())
    contents = (damaged(kinds[n % len(kinds)], rng) for n in range(number))
    return sum(outcome(functools.partial(read, content)) for content in contents)


def read_picture(content):
    """Decodes a picture as data sets, requests and masks do."""
    path = pathlib.PurePath("a.png")
    stated = Reading(background="white", size=(8, 8))
    found = Decoder("data", stated).image(path, content)
    assert found.dtype == np.uint8
    assert found.ndim == 2 or found.shape[-1] == 3
    outcome(lambda: Decoder("data").mask(path, content))


@pytest.mark.parametrize("kind", PICTURES)
def test_a_whole_picture_is_read_or_is_an_animation(kind):
    assert outcome(lambda: read_picture(PICTURES[kind])) == (kind != "animation")


@pytest.mark.parametrize(
    "number", [42, pytest.param(1050, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_damaged_pictures_are_read_or_refused(number):
    count = count_read(PICTURES, read_picture, number, seed=0)
    assert 0 < count < number


@pytest.mark.parametrize(
    "number", [40, pytest.param(600, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_damaged_archives_are_read_or_refused(tmp_path, number):
    path = tmp_path / "a.npz"

    def read(content):
        path.write_bytes(content)
        for picture, label in arrays.checked("data", npz.pictures("data", path)):
            assert picture.dtype in (np.uint8, np.float32)
            assert label in (None, 0)

    count = count_read(ARCHIVES, read, number, seed=1)
    assert 0 < count < number
