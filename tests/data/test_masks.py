"""Masks: 1 known, 0 missing."""

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.data import masks
from tfgen.errors import UserError

SEED = random.root(0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_salt_and_pepper_misses_pixels_at_its_rate(rate):
    """50,000 pixels, 5 binomial standard errors: fails with a probability of 6e-7."""
    mask = masks.salt_and_pepper((5, 100, 100), rate, SEED).numpy()
    assert mask.shape == (5, 100, 100, 1)
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert abs(np.mean(mask == 0) - rate) < 5 * np.sqrt(rate * (1 - rate) / 50_000)


def test_salt_and_pepper_differs_between_images_and_seeds():
    mask = masks.salt_and_pepper((2, 10, 10), 0.5, SEED).numpy()
    assert not np.array_equal(mask[0], mask[1])
    assert not np.array_equal(mask, masks.salt_and_pepper((2, 10, 10), 0.5, random.root(1)))
    np.testing.assert_array_equal(mask, masks.salt_and_pepper((2, 10, 10), 0.5, SEED))


@pytest.mark.parametrize(("rate", "value"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_rates_0_and_1_miss_nothing_and_everything(rate, value):
    np.testing.assert_array_equal(
        masks.salt_and_pepper((2, 5, 5), rate, SEED), np.full((2, 5, 5, 1), value)
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    height=st.integers(4, 20),
    width=st.integers(4, 20),
    size=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_a_single_block_is_one_square_of_its_size(height, width, size, seed):
    for mask in masks.blocks((3, height, width), 1, size, random.root(seed)).numpy()[..., 0]:
        rows, columns = np.nonzero(mask == 0)
        assert len(rows) == size**2
        assert np.ptp(rows) == np.ptp(columns) == size - 1


@settings(max_examples=20, deadline=None, derandomize=True)
@given(number=st.integers(0, 6), size=st.integers(1, 4), seed=st.integers(0, 1000))
def test_several_blocks_cover_between_one_and_all_of_their_areas(number, size, seed):
    missing = (masks.blocks((4, 16, 16), number, size, random.root(seed)).numpy() == 0).sum(
        axis=(1, 2, 3)
    )
    assert np.all(missing <= number * size**2)
    assert np.all(missing >= min(number, 1) * size**2)


def test_far_apart_blocks_do_not_merge():
    """In 200 images of 32x32, few of two 2x2 blocks overlap: most images miss 8 pixels."""
    missing = (masks.blocks((200, 32, 32), 2, 2, SEED).numpy() == 0).sum(axis=(1, 2, 3))
    assert np.mean(missing == 8) > 0.9


def test_blocks_reach_every_border():
    """2,000 blocks leave out one of 25 places with a probability of 25 (24/25)^2000 < 1e-33."""
    missing = (masks.blocks((2000, 8, 8), 1, 4, SEED).numpy() == 0).any(axis=0)[..., 0]
    assert missing.all()


def test_a_block_larger_than_the_image_is_refused():
    with pytest.raises(UserError, match="1 to 8 pixels"):
        masks.blocks((1, 8, 10), 1, 9, SEED)


@pytest.mark.parametrize("side", masks.SIDES)
@pytest.mark.parametrize("shape", [(6, 8), (7, 5)])
def test_a_half_is_missing_on_its_side_and_the_middle_of_an_odd_number_is_known(side, shape):
    mask = masks.half((2, *shape), side).numpy()[0, ..., 0]
    lines = mask if side in ("top", "bottom") else mask.T
    lines = lines if side in ("top", "left") else lines[::-1]
    missing = len(lines) // 2
    assert np.all(lines[:missing] == 0)
    assert np.all(lines[missing:] == 1)


@pytest.mark.parametrize("channels", [0, 2, 3, 4])
def test_a_drawn_mask_is_known_where_it_is_white(tmp_path, channels):
    """Its transparency, the last of 2 or 4 channels, does not count."""
    known = np.array([[True, False, True], [False, False, True]])
    picture = (known * 255).astype(np.uint8)
    if channels:
        picture = np.stack([picture] * channels, axis=-1)
    if channels in (2, 4):
        picture[..., -1] = 255
    iio.imwrite(tmp_path / "mask.png", picture)
    mask = masks.parse(str(tmp_path / "mask.png"), (4, 2, 3), SEED)
    np.testing.assert_array_equal(mask, np.broadcast_to(known[None, :, :, None], (4, 2, 3, 1)))


def test_a_drawn_mask_of_black_and_white_bits_is_read_as_such(tmp_path):
    known = np.array([[True, False], [False, True]])
    iio.imwrite(tmp_path / "mask.png", known)
    np.testing.assert_array_equal(
        masks.from_file((1, 2, 2), str(tmp_path / "mask.png"))[0, ..., 0], known
    )


@pytest.mark.parametrize("levels", [(0, 255), (0, 1), (100, 101)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_drawn_mask_has_two_values_of_which_the_larger_is_known(tmp_path, levels, dtype):
    """NumPy's users write 0 and 1."""
    iio.imwrite(tmp_path / "mask.png", np.array([levels, levels[::-1]], dtype))
    found = masks.from_file((1, 2, 2), str(tmp_path / "mask.png"))
    np.testing.assert_array_equal(found[0, ..., 0], [[0, 1], [1, 0]])


def test_a_drawn_mask_of_another_size_is_refused(tmp_path):
    iio.imwrite(tmp_path / "mask.png", np.eye(3, 4, dtype=np.uint8))
    with pytest.raises(UserError, match=r"mask\.png to be 8x8 like the images and found 3x4"):
        masks.parse(str(tmp_path / "mask.png"), (1, 8, 8), SEED)


def test_a_drawn_mask_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "mask.png").write_text("no image")
    with pytest.raises(UserError, match=r"mask: expected an image file .*mask\.png"):
        masks.parse(str(tmp_path / "mask.png"), (1, 8, 8), SEED)


@pytest.mark.parametrize(
    ("spec", "shape", "said"),
    [
        ("salt_and_pepper:1", (3, 8, 8), "hides all"),
        ("salt_and_pepper:0", (3, 8, 8), "hides none"),
        ("blocks:1x8", (3, 8, 8), "hides all"),
        ("blocks:0x3", (3, 8, 8), "hides none"),
        ("blocks:500x7", (3, 8, 8), "hides all"),
        ("half:top", (3, 1, 8), "hides none"),
    ],
)
def test_masks_that_hide_everything_or_nothing_are_refused(spec, shape, said):
    with pytest.raises(UserError, match=f"mask: expected some .* {said}"):
        masks.parse(spec, shape, SEED)
    with pytest.raises(UserError, match=said):
        masks.mask(spec, np.zeros((*shape, 1)))


def test_a_low_rate_may_hide_nothing_of_one_image_but_not_of_a_data_set():
    rate = "salt_and_pepper:0.0001"
    assert masks.parse(rate, (1, 8, 8), SEED).numpy().min() == 1
    with pytest.raises(UserError, match="hides none"):
        masks.mask(rate, np.zeros((1, 8, 8, 1)))
    assert masks.mask(rate, np.zeros((3000, 8, 8, 1))).numpy().min() == 0


@pytest.mark.parametrize(
    ("spec", "mask"),
    [
        ("half:left", masks.half((2, 8, 8), "left")),
        ("salt_and_pepper:0.25", masks.salt_and_pepper((2, 8, 8), 0.25, SEED)),
        ("blocks:3x2", masks.blocks((2, 8, 8), 3, 2, SEED)),
    ],
)
def test_a_name_gives_its_mask(spec, mask):
    np.testing.assert_array_equal(masks.parse(spec, (2, 8, 8), SEED), mask)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "half",
        "half:middle",
        "salt_and_pepper:",
        "salt_and_pepper:2",
        "salt_and_pepper:-0.1",
        "salt_and_pepper:nan",
        "blocks:3",
        "blocks:3x2x1",
        "blocks:axb",
        "blocks:-1x2",
        "blocks:1x0",
        "blocks:1x-2",
        "blocks:1x9",
        "nowhere.png",
        "/",
    ],
)
def test_other_names_are_refused_with_one_sentence(spec):
    with pytest.raises(UserError, match="mask: expected") as caught:
        masks.parse(spec, (1, 8, 8), SEED)
    assert "\n" not in str(caught.value)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(spec=st.text("PBM.:x-+ 0157einahlfbtocksdr_p/٣½∞é\n", max_size=20))
def test_no_name_breaks_the_parser(spec):
    try:
        mask = masks.parse(spec, (1, 8, 8), SEED)
    except UserError:
        return
    assert mask.shape == (1, 8, 8, 1)


# the divergence triangle's patterns


@pytest.mark.parametrize(("name", "rate"), [("P.5", 0.5), ("P.7", 0.7)])
def test_the_patterns_p_miss_half_and_seven_tenths_of_the_pixels(name, rate):
    """50,000 pixels, 5 binomial standard errors: fails with a probability of 6e-7."""
    mask = masks.pattern(name, (5, 100, 100), SEED).numpy()
    assert abs(np.mean(mask == 0) - rate) < 5 * np.sqrt(rate * (1 - rate) / 50_000)


@pytest.mark.parametrize(
    ("name", "shape", "number", "size"),
    [
        ("MB10", (64, 64), 10, 10),
        ("B20", (64, 64), 1, 20),
        ("B30", (64, 64), 1, 30),
        ("MB10", (32, 32), 10, 5),
        ("B20", (32, 32), 1, 10),
        ("B30", (32, 32), 1, 15),
        ("B20", (128, 128), 1, 40),
        ("B20", (32, 96), 1, 10),
        ("B30", (28, 28), 1, 13),
        ("MB10", (8, 8), 10, 1),
        ("MB10", (2, 2), 10, 1),
    ],
)
def test_the_patterns_b_are_blocks_of_the_papers_size_at_64_pixels_and_scaled_else(
    name, shape, number, size
):
    """By the smaller side, at least a pixel."""
    mask = masks.pattern(name, (4, *shape), SEED)
    np.testing.assert_array_equal(mask, masks.blocks((4, *shape), number, size, SEED))
    if number == 1:
        np.testing.assert_array_equal((mask.numpy() == 0).sum(axis=(1, 2, 3)), [size**2] * 4)


def test_ten_blocks_cover_as_much_as_independent_blocks_would():
    """All ten leave a pixel out with probability (1 - c_i c_j)^10.

    c_i is the share of a block's 55 places that cover row i.

    5 standard errors: fails with a probability of 6e-7.
    """
    rows = np.arange(64)
    covering = (np.minimum(rows, 54) - np.maximum(rows - 9, 0) + 1) / 55
    expected = np.mean(1 - (1 - np.outer(covering, covering)) ** 10)
    missing = 1 - masks.pattern("MB10", (1000, 64, 64), SEED).numpy().mean(axis=(1, 2, 3))
    assert abs(missing.mean() - expected) < 5 * missing.std() / np.sqrt(1000)


@pytest.mark.parametrize("name", masks.PATTERNS)
def test_a_patterns_name_is_parsed_and_every_image_has_its_own(name):
    mask = masks.parse(name, (3, 16, 16), SEED).numpy()
    np.testing.assert_array_equal(mask, masks.pattern(name, (3, 16, 16), SEED))
    assert not np.array_equal(mask[0], mask[1])
    assert not np.array_equal(mask, masks.pattern(name, (3, 16, 16), random.root(1)))


@pytest.mark.parametrize("spec", ["P.6", "B10", "p.5", "MB10x", " B20"])
def test_a_pattern_that_is_none_is_refused_with_the_names_of_all(spec):
    with pytest.raises(UserError, match=r"P\.5, P\.7, MB10, B20, B30"):
        masks.parse(spec, (1, 64, 64), SEED)
