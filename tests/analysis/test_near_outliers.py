"""Outliers near to data: each kind against its definition, and that none is an image itself."""

import numpy as np
import pytest
from scipy import ndimage

from tfgen.analysis import near_outliers
from tfgen.errors import UserError

IMAGE = np.random.default_rng(0).uniform(-1, 1, (6, 8, 10, 2)).astype(np.float32)
MADE = near_outliers.made_from(IMAGE, seed=3)


def quadrants(image):
    """Returns the quadrants of images of even sides, [n, 4, ...]."""
    rows, columns = image.shape[1] // 2, image.shape[2] // 2
    upper, lower = image[:, :rows], image[:, rows:]
    parts = [half[:, :, side] for half in (upper, lower) for side in _sides(columns)]
    return np.stack(parts, axis=1)


def _sides(columns):
    return slice(0, columns), slice(columns, None)


@pytest.mark.parametrize("kind", near_outliers.KINDS)
def test_outliers_are_images_of_the_same_shape_and_none_is_its_source(kind):
    found = MADE[kind]
    assert found.shape == IMAGE.shape
    assert np.abs(found).max() <= 1
    assert (np.abs(found - IMAGE).reshape(6, -1).max(axis=1) > 0.1).all()


def test_flips_exchange_left_and_right():
    np.testing.assert_array_equal(MADE["flipped"][:, :, 0], IMAGE[:, :, -1])
    np.testing.assert_array_equal(MADE["flipped"][:, 0, ::-1], IMAGE[:, 0])


def test_permuted_quadrants_are_the_images_own_and_all_moved():
    for found, own in zip(quadrants(MADE["permuted_quadrants"]), quadrants(IMAGE), strict=True):
        sources = [next(j for j in range(4) if np.array_equal(q, own[j])) for q in found]
        assert sorted(sources) == [0, 1, 2, 3]
        assert all(source != place for place, source in enumerate(sources))


def test_mixed_quadrants_are_two_of_the_image_and_two_of_one_other():
    own = quadrants(IMAGE)
    for number, found in enumerate(quadrants(MADE["mixed_quadrants"])):
        np.testing.assert_array_equal(found[[0, 3]], own[number][[0, 3]])
        others = [j for j in range(6) if np.array_equal(found[[1, 2]], own[j][[1, 2]])]
        assert len(others) == 1
        assert others != [number]


@pytest.mark.parametrize(
    ("kind", "join"), [("mean_of_two", lambda a, b: (a + b) / 2), ("maximum_of_two", np.maximum)]
)
def test_pairs_are_joined_with_each_image_once_as_the_other(kind, join):
    others = [
        [j for j in range(6) if np.allclose(found, join(IMAGE[i], IMAGE[j]))]
        for i, found in enumerate(MADE[kind])
    ]
    assert sorted(other for found in others for other in found) == list(range(6))
    assert all(other != [i] for i, other in enumerate(others))


def test_blurred_images_are_smoothed_over_space_alone():
    one = ndimage.gaussian_filter(IMAGE[2, :, :, 1], 1.0, mode="nearest")
    np.testing.assert_allclose(MADE["blurred"][2, :, :, 1], one, atol=1e-6)


def test_the_middle_of_an_odd_side_stays():
    odd = IMAGE[:, :7, :9]
    found = near_outliers.made_from(odd, seed=0)["permuted_quadrants"]
    np.testing.assert_array_equal(found[:, 3], odd[:, 3])
    np.testing.assert_array_equal(found[:, :, 4], odd[:, :, 4])
    # nothing is lost
    np.testing.assert_array_equal(np.sort(found, axis=None), np.sort(odd, axis=None))


def test_they_depend_on_the_seed_alone():
    again, other = (near_outliers.made_from(IMAGE, seed) for seed in (3, 4))
    for kind, found in MADE.items():
        np.testing.assert_array_equal(again[kind], found)
    assert not np.array_equal(other["mean_of_two"], MADE["mean_of_two"])


@pytest.mark.parametrize("shape", [(1, 8, 8, 1), (3, 1, 8, 1), (3, 4, 8, 8, 1)])
def test_images_of_which_there_are_too_few_or_too_small_are_refused(shape):
    with pytest.raises(UserError, match="at least two held-out images"):
        near_outliers.made_from(np.zeros(shape, np.float32), seed=0)
