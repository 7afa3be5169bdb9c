"""Patches: places are equally likely, cuts are slices, and images are means of what covers them."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfgen import patches, random
from tfgen.types import Places

sizes = st.integers(1, 4)
checked = settings(max_examples=30, deadline=None, derandomize=True)


def images(count, height, width, channels=2, seed=0):
    """Random pictures."""
    return random.normal([count, height, width, channels], random.root(seed))


def every_place(side, size):
    """All places of a patch in one square image."""
    top, left = np.array(list(itertools.product(range(side - size + 1), repeat=2)), np.int32).T
    return Places(tf.zeros_like(top), tf.constant(top), tf.constant(left))


def drawn(count, height, width, size, seed=0, number=5):
    """So many places in each of some images."""
    return patches.places(
        tf.repeat(tf.range(count), number), height, width, size, random.root(seed)
    )


def means(patch, at, shape):
    """What `average` is to give, pixel by pixel in float64, and how many patches cover each."""
    total, cover = np.zeros(shape), np.zeros((*shape[:3], 1))
    size = patch.shape[1]
    for which, top, left, one in zip(*(np.array(numbers) for numbers in at), patch, strict=True):
        total[which, top : top + size, left : left + size] += one
        cover[which, top : top + size, left : left + size] += 1
    return total / np.maximum(cover, 1), cover


# places


@checked
@given(size=sizes, more=st.tuples(st.integers(0, 3), st.integers(0, 3)), seed=st.integers(0, 1000))
def test_places_lie_inside_their_image(size, more, seed):
    height, width = size + more[0], size + more[1]
    which, top, left = drawn(3, height, width, size, seed)
    np.testing.assert_array_equal(which, np.repeat(np.arange(3), 5))
    assert 0 <= np.min(top) <= np.max(top) <= more[0]
    assert 0 <= np.min(left) <= np.max(left) <= more[1]


def test_all_places_are_equally_likely():
    """Chi-square of 20,000 draws over 3 x 5 places: fails with a probability of 1e-6."""
    _, top, left = patches.places(tf.zeros([20_000], tf.int32), 6, 8, 4, random.root(0))
    counts = np.bincount(np.array(top) * 5 + np.array(left), minlength=15)
    assert stats.chisquare(counts).pvalue > 1e-6


def test_the_same_seed_gives_the_same_places_and_another_does_not():
    once, again, other = (np.stack(drawn(2, 20, 20, 3, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


def test_the_images_size_may_be_a_tensor():
    numbers = drawn(2, 9, 7, 3)
    tensors = patches.places(numbers.which, tf.constant(9), tf.constant(7), 3, random.root(0))
    np.testing.assert_array_equal(np.stack(numbers), np.stack(tensors))


# cutting


@checked
@given(size=sizes, more=st.tuples(st.integers(0, 3), st.integers(0, 3)), seed=st.integers(0, 1000))
def test_patches_are_slices_of_their_image(size, more, seed):
    x = images(3, size + more[0], size + more[1], seed=seed)
    at = drawn(3, *x.shape[1:3], size, seed)
    for patch, which, top, left in zip(patches.cut(x, at, size), *at, strict=True):
        np.testing.assert_array_equal(patch, x[which, top : top + size, left : left + size])


def test_a_patch_of_the_whole_is_the_image():
    x = images(3, 5, 5)
    np.testing.assert_array_equal(patches.cut(x, drawn(3, 5, 5, 5, number=1), 5), x)


def test_half_precision_is_cut_as_it_is():
    x = tf.cast(images(2, 5, 5), tf.float16)
    assert patches.cut(x, drawn(2, 5, 5, 2), 2).dtype == tf.float16


def test_the_size_of_patches_is_known_where_the_images_is_not():
    traced = tf.function(
        lambda x: patches.cut(x, drawn(2, tf.shape(x)[1], tf.shape(x)[2], 3), 3),
        autograph=False,
        input_signature=[tf.TensorSpec((None, None, None, 2))],
    )
    assert traced.get_concrete_function().outputs[0].shape.as_list() == [10, 3, 3, 2]
    x = images(2, 6, 4)
    np.testing.assert_array_equal(traced(x), patches.cut(x, drawn(2, 6, 4, 3), 3))


# putting back


@checked
@given(size=sizes, more=st.tuples(st.integers(0, 3), st.integers(0, 3)), seed=st.integers(0, 1000))
def test_an_image_is_the_mean_of_what_covers_it_and_zero_where_nothing_does(size, more, seed):
    """To float32 rounding of sums of at most 5."""
    shape = (3, size + more[0], size + more[1], 2)
    at = drawn(3, *shape[1:3], size, seed)
    patch = random.normal([15, size, size, 2], random.root(seed + 1))
    found = patches.average(patch, at, tf.constant(shape)).numpy()
    expected, cover = means(patch.numpy(), at, shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found[np.broadcast_to(cover == 0, shape)], 0)


def test_patches_of_an_image_put_back_are_the_image_where_they_cover_it():
    """To the rounding of means of equal numbers; few patches, so that pixels are left out."""
    x = images(4, 8, 9)
    at = drawn(4, 8, 9, 3, number=4)
    found = patches.average(patches.cut(x, at, 3), at, tf.shape(x)).numpy()
    cover = np.broadcast_to(means(np.zeros((16, 3, 3, 2)), at, x.shape)[1] > 0, x.shape)
    assert 0 < cover.mean() < 1
    np.testing.assert_allclose(found, np.where(cover, x, 0), rtol=1e-6, atol=0)


def test_the_order_of_patches_does_not_matter():
    x = images(2, 6, 6)
    at, patch = drawn(2, 6, 6, 3), random.normal([10, 3, 3, 2], random.root(3))
    turned = Places(*(tf.reverse(numbers, [0]) for numbers in at))
    once = patches.average(patch, at, tf.shape(x))
    np.testing.assert_allclose(
        patches.average(tf.reverse(patch, [0]), turned, tf.shape(x)), once, atol=1e-6
    )


# coverage: how likely each pixel is in a patch, counted over all places of a patch


def covering(side, size):
    """Places of a patch that cover each pixel, [side, side]."""
    number = tf.reshape(tf.range(side**2), [1, side, side, 1])
    return np.bincount(
        np.ravel(patches.cut(number, every_place(side, size), size)), minlength=side**2
    ).reshape(side, side)


def on_a_line(side, size):
    """The same along one axis: a place covers a pixel if it begins at most size - 1 before it."""
    begin, pixel = np.arange(side - size + 1), np.arange(side)[:, None]
    return ((begin <= pixel) & (pixel < begin + size)).sum(axis=1)


@pytest.mark.parametrize(("side", "size"), [(5, 5), (7, 3), (9, 4), (6, 1), (8, 6)])
def test_coverage_is_a_product_of_rows_and_columns(side, size):
    line = on_a_line(side, size)
    np.testing.assert_array_equal(covering(side, size), np.outer(line, line))


@checked
@given(size=st.integers(1, 5), canvas=st.integers(1, 8))
def test_a_padding_of_one_less_than_the_patch_makes_all_pixels_of_the_canvas_equally_likely(
    size, canvas
):
    if canvas + 2 * (size - 1) < size:
        return
    seen = covering(canvas + 2 * (size - 1), size)[
        size - 1 : size - 1 + canvas, size - 1 : size - 1 + canvas
    ]
    np.testing.assert_array_equal(seen, np.full((canvas, canvas), size**2))


@checked
@given(size=st.integers(2, 5), canvas=st.integers(2, 8), short=st.integers(1, 4))
def test_with_less_padding_pixels_at_the_canvass_border_are_less_likely(size, canvas, short):
    padding = max(size - 1 - short, 0)
    side = canvas + 2 * padding
    if side < 2 * size:  # so small that no pixel is in the middle
        return
    seen = on_a_line(side, size)[padding : padding + canvas]
    assert seen[0] == seen.min() == padding + 1
    assert seen.max() == min(size, side - size + 1) > seen[0]


def test_the_papers_padding_does_not_make_all_pixels_of_its_canvas_equally_likely():
    """Of 256 pixels and 32 on each side, a corner is in 33² patches of 64, the middle in 64².

    Section 4.1 says of this padding that each pixel of the center has equal probability.
    """
    seen = on_a_line(256 + 2 * 32, 64)[32:-32]
    assert (seen[0], seen[128], seen[-1]) == (33, 64, 33)
    np.testing.assert_array_equal(on_a_line(256 + 2 * 63, 64)[63:-63], np.full(256, 64))


# wrap-around and holes


def test_patches_that_wrap_around_go_on_at_the_other_side():
    x = images(2, 5, 6)
    at = Places(tf.constant([0, 1, 1]), tf.constant([3, 4, 0]), tf.constant([5, 2, 4]))
    for patch, which, top, left in zip(patches.cut(x, at, 3), *at, strict=True):
        rolled = np.roll(x[int(which)], (-int(top), -int(left)), axis=(0, 1))
        np.testing.assert_array_equal(patch, rolled[:3, :3])


def test_patches_that_wrap_around_are_put_back_where_they_were_cut():
    x = images(2, 5, 6)
    at = patches.places(tf.repeat(tf.range(2), 60), 5, 6, 3, random.root(0), wrap=True)
    found = patches.average(patches.cut(x, at, 3), at, tf.shape(x))
    np.testing.assert_allclose(found, x, atol=1e-6)


def test_patches_that_wrap_around_begin_at_every_pixel_equally_often():
    """The chi-square of 6,000 draws over 30 places fails with a probability of 1e-6."""
    at = patches.places(tf.zeros([6_000], tf.int32), 5, 6, 3, random.root(0), wrap=True)
    counts = np.bincount(at.top * 6 + at.left, minlength=30)
    assert len(counts) == 30
    assert stats.chisquare(counts).pvalue > 1e-6


def test_patches_over_a_hole_have_a_missing_pixel_of_every_kind_equally_often():
    """A hole in the middle of each image: 8,000 patches of 3 about its 2 or 1 pixels.

    Away from the border no patch is moved, so that each of the 9 places about a pixel is as likely
    as any other. The chi-squares fail with a probability of 2e-6 in all.
    """
    missing = np.zeros((2, 9, 9, 1), np.float32)
    missing[0, 4, 3], missing[0, 4, 6], missing[1, 5, 5] = 1, 1, 1
    which = tf.repeat(tf.range(2), 8_000)
    hole = tf.constant(missing)
    at = patches.places_over(hole, which, 3, random.root(0))
    seen = patches.cut(hole, at, 3).numpy()
    assert (seen.sum(axis=(1, 2, 3)) == 1).all()  # the two are too far apart for one patch
    for image, pixels in ((0, 2), (1, 1)):
        mine = np.asarray(at.which) == image
        places = np.asarray(at.top * 9 + at.left)[mine]
        counts = np.unique(places, return_counts=True)[1]
        assert len(counts) == 9 * pixels
        assert stats.chisquare(counts).pvalue > 1e-6


def test_patches_over_a_hole_at_the_border_stay_inside():
    missing = np.zeros((1, 5, 6, 1), np.float32)
    missing[0, 0, 0], missing[0, 4, 5] = 1, 1
    which = tf.zeros([200], tf.int32)
    at = patches.places_over(tf.constant(missing), which, 3, random.root(0))
    assert set(zip(at.top.numpy(), at.left.numpy(), strict=True)) == {(0, 0), (2, 3)}


def test_patches_of_an_image_without_a_hole_stay_inside():
    which = tf.zeros([9], tf.int32)
    at = patches.places_over(tf.zeros([1, 5, 6, 1]), which, 3, random.root(0))
    assert (at.top.numpy() <= 2).all()
    assert (at.left.numpy() <= 3).all()
