"""Channels, crops, sizes, and the conversions between bytes and floats."""

import io
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tfgen.data import preprocess
from tfgen.data.decode import Decoder
from tfgen.data.reading import Reading
from tfgen.errors import UserError


def test_a_checkerboard_of_single_pixels_shrinks_to_grey():
    """Taking every second pixel would give all black or all white."""
    board = np.indices((64, 64)).sum(axis=0) % 2
    for size in ((32, 32), (16, 16), (24, 24)):
        shrunk = preprocess.resize((board * 255).astype(np.uint8)[..., None], size)
        inner = shrunk[3:-3, 3:-3].astype(float)
        assert np.abs(inner - 127.5).max() < 0.05 * 255


def test_a_smooth_ramp_keeps_its_values_when_shrunk():
    """Bilinear at pixel centres: pixel j of the half image stands between pixels 2j and 2j + 1."""
    ramp = np.tile(np.linspace(-1, 1, 64, dtype=np.float32), (64, 1))[..., None]
    shrunk = preprocess.resize(ramp, (32, 32))
    expected = ramp[0].reshape(32, 2).mean(axis=1)
    np.testing.assert_allclose(shrunk[16, 3:-3, 0], expected[3:-3], atol=1e-5)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3]),
)
def test_a_prepared_picture_has_the_size_and_channels_asked_for(shape, size, channels):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, channels), dtype=np.uint8)
    prepared = preprocess.prepare(picture, size, None)
    assert prepared.shape == (*size, channels)
    assert prepared.dtype == np.uint8


def test_constant_pictures_stay_constant():
    picture = np.full((17, 23, 3), 200, np.uint8)
    np.testing.assert_array_equal(preprocess.prepare(picture, (8, 8), 3), np.full((8, 8, 3), 200))


def test_resizing_to_the_same_size_changes_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    assert preprocess.resize(picture, (9, 9)) is picture


def test_the_crop_is_centred_and_has_the_aspect():
    picture = np.arange(20 * 10).reshape(20, 10, 1)
    np.testing.assert_array_equal(preprocess.centre_crop(picture, 1.0), picture[5:15])
    np.testing.assert_array_equal(preprocess.centre_crop(picture, 4.0), picture[:, 2:7])


def test_grey_is_rec_601_luma():
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_array_equal(preprocess.to_channels(picture, 1)[0, :, 0], [76, 150, 29, 255])


def test_a_grey_picture_in_colour_has_three_equal_channels():
    picture = np.random.default_rng(0).integers(0, 256, (4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(
        preprocess.to_channels(picture, 3), np.stack([picture] * 3, axis=-1)
    )


@pytest.mark.parametrize(("found", "asked"), [(5, 3), (3, 4), (2, 1)])
def test_channels_that_cannot_be_had_are_refused(found, asked):
    with pytest.raises(
        UserError, match=f"expected {found}, as the pictures have, and found {asked}"
    ):
        preprocess.to_channels(np.zeros((2, 2, found), np.uint8), asked)


def test_bytes_are_unchanged_by_conversion_to_floats_and_back():
    every = np.arange(256, dtype=np.uint8)
    unit = preprocess.to_unit(every)
    assert (unit.min(), unit.max(), unit.dtype) == (-1, 1, np.float32)
    np.testing.assert_array_equal(preprocess.to_uint8(unit), every)


def test_floats_outside_are_clipped_to_bytes():
    np.testing.assert_array_equal(
        preprocess.to_uint8(np.array([-3.0, -1.0, 0.0, 1.0, 7.0])), [0, 0, 128, 255, 255]
    )


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_every_type_of_numbers_is_resized_as_bytes_are(dtype, channels):
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, channels), dtype=np.uint8)
    expected = preprocess.resize(picture, (7, 9)).astype(float)
    scale = 200 if np.issubdtype(dtype, np.integer) else 1 / 255
    found = preprocess.resize((picture.astype(float) * scale).astype(dtype), (7, 9))
    assert found.dtype == dtype
    # bytes are rounded twice, after rows and after columns
    np.testing.assert_allclose(found / scale, expected, atol=1.1)


def test_shrinking_by_a_whole_number_weighs_pixels_by_their_distance():
    """Bilinear weights reach as far as two new pixels: 1, 3, 5, 7, 7, 5, 3, 1 of 32."""
    picture = np.random.default_rng(0).uniform(-1, 1, (16, 16, 1)).astype(np.float32)
    weights = np.array([1, 3, 5, 7, 7, 5, 3, 1]) / 32
    found = preprocess.resize(picture, (4, 4))
    np.testing.assert_allclose(
        found[1, 1, 0], weights @ picture[2:10, 2:10, 0] @ weights, atol=1e-5
    )


def test_no_value_goes_beyond_the_pictures_own():
    picture = np.full((50, 60, 3), 1, np.float32)
    assert (preprocess.resize(picture, (7, 7)) == 1).all()


@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (1, 1)])
def test_a_size_of_an_extreme_aspect_has_at_least_a_row_and_a_column(size):
    picture = np.random.default_rng(0).integers(0, 256, (2, 20, 3), dtype=np.uint8)
    assert preprocess.prepare(picture, size, None).shape == (*size, 3)


def test_a_size_beyond_memory_is_refused():
    with pytest.raises(UserError, match="image_size: expected at most 67,108,864 pixels"):
        preprocess.prepare(np.zeros((8, 8, 3), np.uint8), (100_000, 100_000), None)


def test_a_large_jpeg_is_decoded_at_a_fraction_and_looks_the_same():
    """As a photograph of a phone; the decoder then does a sixty-fourth of the work."""
    rng = np.random.default_rng(0)
    rough = rng.integers(40, 216, (12, 16, 3), dtype=np.uint8)
    photograph = preprocess.resize(rough, (1200, 1600))
    file = io.BytesIO()
    Image.fromarray(photograph).save(file, "JPEG", quality=95)
    path = pathlib.PurePath("a.jpg")
    small = Decoder("data", Reading(size=(64, 64))).image(path, file.getvalue())
    assert small.shape == (150, 200, 3)
    found = preprocess.prepare(small, (64, 64), 3).astype(int)
    whole = preprocess.prepare(photograph, (64, 64), 3)
    assert np.abs(found - whole).mean() < 1
