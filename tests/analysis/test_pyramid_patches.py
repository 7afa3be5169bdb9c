"""The sliced Wasserstein distance between textures, and the noise that it is compared with."""

import numpy as np
import pytest
import skimage.data

from tfgen.analysis import pyramid_patches as pp
from tfgen.errors import UserError

BRICK = skimage.data.brick()[:256, :256, None].astype(np.float32) / 127.5 - 1
OPTIONS = {"levels": 3, "count": 4096, "projections": 64, "seed": 0}


def distance(reference, images):
    """Returns the mean over all levels but the coarsest, which has only a hundred patches."""
    return np.mean(pp.sliced_wasserstein(reference[None], images[None], **OPTIONS)[:-1])


def test_an_image_has_distance_zero_to_itself():
    """Exactly, since all patches are taken."""
    assert (
        pp.sliced_wasserstein(
            BRICK[None], BRICK[None], levels=5, count=10**6, projections=16, seed=0
        )
        == [0.0] * 5
    )


def test_noise_is_further_than_phase_noise_and_that_is_further_than_a_shifted_copy():
    rng = np.random.default_rng(0)
    shifted = distance(BRICK, np.roll(BRICK, (37, 51), axis=(0, 1)))
    phase = distance(BRICK, pp.phase_randomised(BRICK, rng))
    white = distance(BRICK, rng.normal(BRICK.mean(), BRICK.std(), BRICK.shape))
    assert 2 * shifted < phase
    assert 2 * phase < white


def test_one_dimensional_distances_of_shifted_noise_are_the_shift():
    """Two clouds that differ by a constant c are |c <1, w>| / s apart along each direction w.

    The constant is in the coarsest level alone. For a random unit vector w in 49 dimensions <1, w>
    is nearly standard normal: the mean of |<1, w>| over 2,000 of them is √(2/π) within 5 %.
    """
    noise = np.random.default_rng(0).normal(size=(1, 16, 16, 1)).astype(np.float32)
    found = pp.sliced_wasserstein(
        noise, noise + 0.5, levels=1, count=10**6, projections=2000, seed=0
    )
    assert found == pytest.approx([1000 * 0.5 / noise.std() * np.sqrt(2 / np.pi)], rel=0.05)


def test_the_distance_is_nearly_symmetric():
    """Only the normalisation differs, which is the reference's."""
    shifted = np.roll(BRICK, 20, axis=0)
    assert distance(BRICK, shifted) == pytest.approx(distance(shifted, BRICK), rel=0.2)


def test_images_of_different_sizes_and_numbers_compare():
    images = np.stack([BRICK[:64, :64], BRICK[-64:, -64:]])
    assert len(pp.sliced_wasserstein(BRICK[None], images, **OPTIONS)) == OPTIONS["levels"]


def test_crops_come_from_all_places_where_they_fit():
    """In two 5x4 images a 4x3 crop has 8 places.

    200 draws miss one of them with a probability below 1e-10.
    """
    images = np.arange(2 * 5 * 4 * 3).reshape(2, 5, 4, 3)
    found = pp.crops(images, (200, 4, 3), np.random.default_rng(0))
    places = {
        (n, i, j): images[n, i : i + 4, j : j + 3]
        for n in range(2)
        for i in range(2)
        for j in range(2)
    }
    met = [next(place for place, crop in places.items() if np.array_equal(crop, f)) for f in found]
    assert set(met) == set(places)


def test_crops_larger_than_the_images_are_the_images():
    images = np.random.default_rng(0).normal(size=(1, 5, 4, 2))
    np.testing.assert_array_equal(
        pp.crops(images, (3, 9, 4), np.random.default_rng(0)), np.repeat(images, 3, axis=0)
    )


@pytest.mark.parametrize("shape", [(64, 64, 1), (48, 65, 3)])
def test_phase_randomised_noise_keeps_the_spectrum_and_the_mean(shape):
    """Every amplitude, to rounding."""
    image = np.random.default_rng(0).normal(size=shape) ** 2
    noise = pp.phase_randomised(image, np.random.default_rng(1))
    amplitude, kept = (np.abs(np.fft.fft2(x, axes=(0, 1))) for x in (image, noise))
    np.testing.assert_allclose(kept, amplitude, rtol=1e-6, atol=1e-6 * amplitude.max())
    np.testing.assert_allclose(noise.mean(axis=(0, 1)), image.mean(axis=(0, 1)))
    assert np.abs(noise - image).max() > 0.5


def test_phase_randomised_noise_keeps_correlations_between_channels():
    """The same phases for all channels: cross-spectra are kept too."""
    image = np.random.default_rng(0).normal(size=(32, 32, 3)) @ np.array(
        [[1, 1, 0], [0, 1, 1], [0, 0, 1.0]]
    )
    noise = pp.phase_randomised(image, np.random.default_rng(1))
    np.testing.assert_allclose(
        np.cov(noise.reshape(-1, 3).T), np.cov(image.reshape(-1, 3).T), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("shape", [(64, 64, 1), (48, 66, 3)])
def test_a_laplacian_pyramid_adds_up_to_its_image(shape):
    import skimage.transform

    image = np.random.default_rng(0).normal(size=shape)
    pyramid = pp.laplacian_pyramid(image, 3)
    rebuilt = pyramid[-1]
    for level in reversed(pyramid[:-1]):
        rebuilt = level + skimage.transform.resize(rebuilt, level.shape, order=1)
    np.testing.assert_allclose(rebuilt, image, atol=1e-10)
    assert [level.shape[0] for level in pyramid] == [shape[0], shape[0] // 2, shape[0] // 4]


def test_images_that_do_not_hold_a_patch_at_the_coarsest_level_are_refused():
    with pytest.raises(UserError, match="at least 28 pixels and found 27"):
        pp.sliced_wasserstein(
            BRICK[None], BRICK[None, :27, :27], levels=3, count=10, projections=2, seed=0
        )


def test_all_patches_are_taken_where_there_are_few_and_so_many_where_there_are_more():
    image = np.arange(100.0).reshape(1, 10, 10, 1)
    rng = np.random.default_rng(0)
    every = pp.patches(image, 1000, rng)
    assert every.shape == (16, 49)
    some = pp.patches(image, 7, rng)
    assert len({tuple(p) for p in some}) == 7
    assert {tuple(p) for p in some} <= {tuple(p) for p in every}
