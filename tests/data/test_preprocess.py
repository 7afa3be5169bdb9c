"""Channels, crops, sizes, and the conversions between bytes and floats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen.data import preprocess
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
