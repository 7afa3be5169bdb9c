"""The decoder: what each mode and format of a picture file becomes, in numbers."""

import io
import pathlib

import numpy as np
import PIL
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps
from support.picture_files import DEEP, PIXELS, netpbm, png, saved, tiff

from tfgen.data import decode, deep
from tfgen.data.decode import Decoder
from tfgen.data.reading import Reading
from tfgen.errors import UserError

PATH = pathlib.PurePath("a.picture")
GREY = PIXELS[..., 0]
FULL = DEEP[..., 0].copy()
FULL[0, 0] = 65535
ON = {"white": 255, "grey": 128, "black": 0}


def decoded(content, **stated):
    """Returns the picture in a file."""
    return Decoder("data", Reading(**stated)).image(PATH, content)


def refusal(content, **stated):
    """Returns the sentence that refuses a file."""
    with pytest.raises(UserError) as caught:
        decoded(content, **stated)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("data: expected ")
    assert "a.picture" in str(caught.value)
    return str(caught.value)


def rounded(samples, white=65535):
    """Returns samples scaled to bytes, to the nearest."""
    return np.floor(samples.astype(np.float64) * 255 / white + 0.5).astype(np.uint8)


# formats


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("PPM", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"compression": "packbits"}),
    ],
)
@pytest.mark.parametrize("pixels", [PIXELS, GREY], ids=["colour", "grey"])
def test_lossless_files_are_read_exactly_under_any_name(kind, options, pixels):
    found = decoded(saved(pixels, kind, **options))
    expected = np.repeat(pixels[..., None], 3, -1) if found.ndim > pixels.ndim else pixels
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}),
        ("TIFF", {"compression": "jpeg", "quality": 100}),
    ],
)
def test_jpeg_is_near_and_its_colours_are_in_order(kind, options):
    smooth = np.stack(np.meshgrid(np.arange(0, 240, 8), np.arange(60, 210, 5)), -1)
    pixels = np.concatenate([smooth, np.full((30, 30, 1), 20)], -1).astype(np.uint8)
    assert np.abs(decoded(saved(pixels, kind, **options)).astype(int) - pixels).max() <= 12


def test_a_gif_has_its_palettes_colours_also_if_they_are_greys():
    for order in (GREY, np.arange(256, dtype=np.uint8).reshape(16, 16)):
        np.testing.assert_array_equal(decoded(saved(order, "GIF")), np.dstack([order] * 3))
    coloured = np.zeros((4, 4, 3), np.uint8)
    coloured[:2] = (200, 40, 30)
    np.testing.assert_array_equal(decoded(saved(coloured, "GIF")), coloured)


@pytest.mark.parametrize("compression", ["raw", "group3", "group4"])
def test_fax_and_other_tiffs_of_one_bit_are_black_and_white(compression):
    bits = Image.fromarray(GREY > 99)
    found = decoded(saved(bits, "TIFF", compression=compression))
    np.testing.assert_array_equal(found, np.where(GREY > 99, 255, 0))


def test_a_pbm_is_black_where_it_is_1():
    np.testing.assert_array_equal(decoded(b"P1\n3 1\n1 0 1\n"), [[0, 255, 0]])


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_planes_and_tiles_of_tiffs_are_put_together(byteorder):
    planes = PIXELS.transpose(2, 0, 1)
    found = decoded(tiff(planes, photometric="rgb", planarconfig="separate", byteorder=byteorder))
    np.testing.assert_array_equal(found, PIXELS)
    large = np.tile(PIXELS, (8, 10, 1))
    found = decoded(tiff(large, photometric="rgb", tile=(16, 32), byteorder=byteorder))
    np.testing.assert_array_equal(found, large)


# modes


def test_cmyk_becomes_the_colours_that_it_stands_for():
    inks = Image.fromarray(PIXELS).convert("CMYK")
    np.testing.assert_array_equal(decoded(saved(inks, "TIFF")), PIXELS)
    red = Image.new("CMYK", (16, 16), (55, 215, 225, 0))
    found = decoded(saved(red, "JPEG", quality=100))
    assert np.abs(found.astype(int) - (200, 40, 30)).max() <= 3


def test_black_ink_darkens():
    inks = Image.new("CMYK", (2, 2), (0, 0, 0, 155))
    np.testing.assert_array_equal(decoded(saved(inks, "TIFF")), np.full((2, 2, 3), 100))


def test_lab_becomes_rgb():
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    patch = Image.new("RGB", (4, 4), (200, 40, 30))
    found = decoded(saved(ImageCms.applyTransform(patch, to_lab), "TIFF"))
    assert np.abs(found.astype(int) - (200, 40, 30)).max() <= 3


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="older ones refuse it")
def test_ycbcr_tiffs_become_rgb():
    patch = Image.new("RGB", (16, 16), (200, 40, 30)).convert("YCbCr")
    found = decoded(saved(patch, "TIFF"))
    assert np.abs(found.astype(int) - (200, 40, 30)).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_palettes_become_their_colours(kind):
    picture = Image.new("P", (2, 1))
    picture.putpalette([9, 9, 9, 200, 40, 30, *[0] * 759])
    picture.putpixel((0, 0), 1)
    np.testing.assert_array_equal(decoded(saved(picture, kind)), [[[200, 40, 30], [9, 9, 9]]])


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_grey_reach_white(bits):
    """The PNG is of Pillow's palette of greys; white is 255."""
    top = 2**bits - 1
    levels = np.arange(top + 1, dtype=np.uint8)[None]
    picture = Image.fromarray(levels)
    picture = picture.convert("P") if bits > 1 else Image.fromarray(levels > 0)
    if bits > 1:
        picture.putpalette([level * 255 // top for level in range(top + 1) for _ in range(3)])
        found = decoded(saved(picture, "PNG", bits=bits))[..., 0]
    else:
        found = decoded(saved(picture, "PNG"))
    np.testing.assert_array_equal(found, levels * (255 // top))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_zero_that_is_white_is_inverted(compression):
    found = decoded(tiff(GREY, photometric="miniswhite", compression=compression))
    np.testing.assert_array_equal(found, 255 - GREY)
    found = decoded(tiff(FULL, photometric="miniswhite", compression=compression))
    np.testing.assert_array_equal(found, 255 - rounded(FULL))


# orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "LZW", "PNG of 16 bits"])
def test_pictures_are_turned_upright(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "LZW": {"compression": "tiff_lzw"}}.get(kind, {})
    pixels = FULL if kind == "PNG of 16 bits" else PIXELS
    name = {"LZW": "TIFF", "PNG of 16 bits": "PNG"}.get(kind, kind)
    found = decoded(saved(pixels, name, exif=exif, **options))
    upright = rounded(FULL) if kind == "PNG of 16 bits" else PIXELS
    expected = deep.turned(upright[..., None] if upright.ndim == 2 else upright, orientation)
    np.testing.assert_array_equal(found, expected[..., 0] if upright.ndim == 2 else expected)


def test_turning_is_pillows():
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture = Image.fromarray(PIXELS)
        picture.info["exif"] = exif.tobytes()
        np.testing.assert_array_equal(
            deep.turned(PIXELS, orientation), np.asarray(ImageOps.exif_transpose(picture))
        )


def test_a_phones_jpeg_is_turned_also_when_it_is_drafted():
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((400, 800, 3), np.uint8)
    pixels[:, :400] = 255
    content = saved(pixels, "JPEG", exif=exif)
    assert decoded(content).shape == (800, 400, 3)
    found = decoded(content, size=(32, 32))
    assert found.shape == (200, 100, 3)
    assert found[:90].min() > 240
    assert found[110:].max() < 15


# 16 bits


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=["raw", "deflate"])
def test_sixteen_bits_of_tiffs_are_scaled(byteorder, options):
    options = {"byteorder": byteorder, **options}
    np.testing.assert_array_equal(decoded(tiff(FULL, **options)), rounded(FULL))
    colour = DEEP[..., :3]
    found = decoded(tiff(colour, photometric="rgb", **options))
    np.testing.assert_array_equal(found, rounded(colour))
    inks = decoded(tiff(DEEP, photometric="separated", **options))
    expected = Image.frombytes("CMYK", (5, 6), rounded(DEEP).tobytes()).convert("RGB")
    np.testing.assert_array_equal(inks, np.asarray(expected))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_depth_of_samples_is_evident_by_the_largest(bits):
    """12 bits in a file of 16 are not nearly black."""
    grey, colour = FULL >> (16 - bits), DEEP[..., :3] >> (16 - bits)
    colour[0, 0] = grey[0, 0] = white = 2**bits - 1
    for content, samples in [
        (saved(grey, "PNG"), grey),
        (saved(grey, "TIFF"), grey),
        (png(colour), colour),
        (tiff(colour, photometric="rgb"), colour),
        (netpbm(grey[..., None], 65535), grey),
    ]:
        np.testing.assert_array_equal(decoded(content), rounded(samples, white))


def test_a_stated_depth_holds_and_samples_beyond_it_are_refused():
    dark = FULL >> 8
    np.testing.assert_array_equal(decoded(saved(dark, "PNG"), bit_depth=12), rounded(dark, 4095))
    assert "--bit_depth" in refusal(saved(FULL, "PNG"), bit_depth=12)


def test_pictures_of_several_evident_depths_are_refused_together():
    """A dark picture of 16 bits is not made brighter than its neighbours."""
    decoder = Decoder("data")
    decoder.image(PATH, saved(FULL, "PNG"))
    assert decoder.notes == []
    with pytest.raises(UserError, match="--bit_depth=16"):
        decoder.image(pathlib.PurePath("dark.png"), saved(FULL >> 4, "PNG"))


def test_an_evident_depth_is_said():
    decoder = Decoder("data")
    decoder.image(PATH, saved(FULL >> 4, "PNG"))
    decoder.image(PATH, saved(FULL >> 4, "PNG"))
    assert decoder.notes == ["samples of 16 bits taken for 12 bits"]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("white", [100, 300, 1000, 4095])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_declared_white_of_a_pgm_or_ppm_is_white(white, channels, plain):
    samples = (DEEP[..., :channels].astype(int) * white // 65535).astype(np.uint16)
    found = decoded(netpbm(samples, white, plain))
    expected = rounded(samples, white)
    assert np.abs(found.reshape(expected.shape).astype(int) - expected).max() <= (white < 256)


def test_a_declared_largest_sample_of_a_tiff_is_white():
    dark = FULL >> 8
    content = tiff(dark, extratags=[(281, "H", 1, 4095, True)])
    np.testing.assert_array_equal(decoded(content), rounded(dark, 4095))


def test_sixteen_bits_with_transparency():
    opaque = DEEP.copy()
    opaque[..., 3] = 65535
    for content in (png(opaque), tiff(opaque, photometric="rgb", extrasamples=["unassalpha"])):
        np.testing.assert_array_equal(decoded(content), rounded(opaque[..., :3]))
    share = DEEP[..., 3:] / 65535
    for content in (png(DEEP), tiff(DEEP, photometric="rgb", extrasamples=["unassalpha"])):
        assert "transparent" in refusal(content)
        expected = DEEP[..., :3] / 257 * share + 255 * (1 - share)
        assert np.abs(decoded(content, background="white") - expected).max() < 1.5
    grey = np.stack([FULL, np.full_like(FULL, 65535)], -1)
    np.testing.assert_array_equal(decoded(png(grey)), rounded(FULL))


def test_a_transparent_colour_of_sixteen_bits_is_transparent():
    key = DEEP[2, 3, :3]
    found = decoded(png(DEEP[..., :3], key.astype(">u2").tobytes()), background="black")
    expected = rounded(DEEP[..., :3])
    expected[2, 3] = 0
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "content",
    [
        tiff(FULL.astype(np.float32)),
        tiff(FULL.astype(np.int32)),
        tiff(FULL.view(np.int16)),
        b"Pf 5 6 -1.0\n" + FULL.astype("<f4").tobytes(),
    ],
    ids=["float", "int32", "int16", "pfm"],
)
def test_floats_and_large_integers_are_refused_by_name(content):
    assert "Pillow's mode" in refusal(content)


# transparency


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparency_is_refused_laid_on_a_background_or_left_out_if_opaque(kind, channels):
    if kind == "WEBP" and channels == 2:
        channels = 4  # WebP has no grey
    pixels = np.dstack([PIXELS[..., : channels - 1], GREY[::-1]])
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    content = saved(pixels, kind, **options)
    assert "--background=white" in refusal(content)
    share = pixels[..., -1:] / 255
    for name, level in ON.items():
        expected = np.rint(pixels[..., :-1] * share + level * (1 - share))
        found = decoded(content, background=name)
        np.testing.assert_array_equal(found.reshape(expected.shape), expected)
    pixels[..., -1] = 255
    found = decoded(saved(pixels, kind, **options))
    np.testing.assert_array_equal(found.reshape(6, 5, -1), pixels[..., :-1])


def test_colours_under_full_transparency_do_not_show():
    pixels = np.dstack([PIXELS, np.zeros_like(GREY)])
    assert "100.00%" in refusal(saved(pixels, "PNG"))
    assert decoded(saved(pixels, "PNG"), background="white").min() == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_a_transparent_colour_counts_as_transparency(mode):
    picture = Image.fromarray(PIXELS).convert(mode)
    key = picture.getpixel((1, 2))
    content = saved(picture, "PNG", transparency=key)
    assert "transparent" in refusal(content)
    found = decoded(content, background="black")
    assert not found[2, 1].any()
    kept = np.asarray(picture.convert("L" if mode == "1" else "RGB"))
    if mode == "RGB":
        assert (found != kept).any(-1).sum() <= 1


# what is refused


def test_animations_and_pages_are_refused():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert "several pages or frames" in refusal(content)


def test_a_smaller_copy_in_a_tiff_is_no_page():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(PIXELS, photometric="rgb")
        writer.write(PIXELS[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(decoded(file.getvalue()), PIXELS)


@pytest.mark.parametrize("bands", [4, 5, 7])
def test_bands_of_unknown_meaning_are_refused(bands):
    many = np.random.default_rng(0).integers(0, 256, (6, 5, bands), np.uint8)
    refusal(
        tiff(
            many,
            photometric="rgb",
            planarconfig="contig",
            extrasamples=["unspecified"] * (bands - 3),
        )
    )
    refusal(tiff(many, photometric="minisblack", planarconfig="contig"))


@pytest.mark.parametrize("kind", ["EPS", "PDF", "TGA", "ICO", "JPEG2000", "AVIF"])
def test_other_formats_of_pillow_are_refused(kind):
    refusal(saved(PIXELS, kind))


def test_postscript_starts_no_program(tmp_path, monkeypatch):
    """Pillow would run gs, found on PATH, to draw it."""
    program, trace = tmp_path / "gs", tmp_path / "was_run"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"
    assert "found PostScript" in refusal(content)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS"),
        (b"PK\x03\x04", "an archive"),
        (b"no picture", "another kind of file"),
    ],
)
def test_what_is_often_taken_for_a_picture_is_named(content, said):
    assert said in refusal(content)


def test_a_bomb_is_refused_by_its_header():
    bomb = saved(Image.new("1", (14000, 14000)), "PNG")
    assert len(bomb) < 100_000
    assert "196000000 pixels" in refusal(bomb).replace(",", "")


def test_a_picture_of_many_pixels_gives_no_warning(monkeypatch):
    """Pillow warns from half its limit on; tests turn warnings into errors."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    np.testing.assert_array_equal(decoded(saved(PIXELS, "PNG")), PIXELS)


@pytest.mark.parametrize("error", [MemoryError(), SystemError("a\nb"), TypeError("x")])
def test_whatever_pillow_raises_is_one_sentence(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(decode.modes, "colours", fail)
    assert "could not decode" in refusal(saved(PIXELS, "PNG"))


# masks


def mask(content):
    """Returns the mask in a file."""
    return Decoder("mask").mask(PATH, content)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("levels", [(0, 255), (0, 1), (7, 9)])
def test_a_masks_larger_value_is_known(kind, levels):
    known = GREY > 99
    found = mask(saved(np.where(known, levels[1], levels[0]).astype(np.uint8), kind))
    np.testing.assert_array_equal(found, known)


def test_masks_of_bits_grey_palettes_and_opaque_colours_are_read():
    known = GREY > 99
    levels = np.where(known, 255, 0).astype(np.uint8)
    opaque = np.dstack([levels, np.full_like(levels, 255)])
    for pixels in (
        known,
        opaque,
        np.dstack([levels] * 3),
        np.dstack([*[levels] * 3, opaque[..., 1]]),
    ):
        np.testing.assert_array_equal(mask(saved(pixels, "PNG")), known)
    bits = Image.fromarray(known)
    for kind in ("GIF", "TIFF", "PNG"):
        np.testing.assert_array_equal(mask(saved(bits, kind)), known)


def labels(*colours):
    """Returns a picture with a palette, of random labels 0 and 1."""
    picture = Image.fromarray((GREY > 99).astype(np.uint8)).convert("P")
    picture.putpalette([*(level for colour in colours for level in colour), *[0] * 744])
    return picture


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (saved(np.full((4, 4), 255, np.uint8), "PNG"), "the value 255 alone"),
        (saved(np.zeros((4, 4), np.uint8), "PNG"), "the value 0 alone"),
        (saved(GREY, "PNG"), "values in"),
        (saved(np.dstack([np.full_like(GREY, 255), GREY]), "PNG"), "transparency"),
        (saved(labels((0, 0, 0), (255, 0, 0)), "PNG"), "palette"),
        (saved(labels((0, 0, 0), (255, 0, 0)), "GIF"), "palette"),
        (saved(labels((0, 0, 0), (255, 255, 255)), "PNG", transparency=0), "transparency"),
        (saved(PIXELS, "PNG"), "colours"),
        (b"no picture", "another kind of file"),
    ],
)
def test_what_is_no_mask_is_refused_by_name(content, said):
    with pytest.raises(UserError, match="mask: expected") as caught:
        mask(content)
    assert said in str(caught.value)
