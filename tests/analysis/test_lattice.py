"""The lattice's strength: closed forms, invariances, and its size where there is none."""

import numpy as np
import pytest

from tfgen.analysis import lattice

NOISE = np.random.default_rng(0).normal(size=(2, 96, 96, 3))


def columns(period):
    """Returns a factor of 0 on all columns but each `period`-th."""
    return (np.arange(96) % period == 0)[None, None, :, None]


def test_noise_has_hardly_any():
    """The power of each of some 100 columns has a relative deviation of a few hundredths."""
    assert lattice.strength(NOISE) < 0.03


@pytest.mark.parametrize("period", lattice.PERIODS)
@pytest.mark.parametrize("turned", [False, True])
def test_details_on_each_third_column_are_seen_in_either_direction(period, turned):
    images = NOISE * columns(period)
    assert lattice.strength(images.transpose(0, 2, 1, 3) if turned else images) > 0.15


def test_it_grows_with_the_lattice_and_does_not_depend_on_contrast_brightness_or_place():
    strengths = [lattice.strength(NOISE * (1 + share * columns(3))) for share in (0, 0.5, 1, 2)]
    assert strengths == sorted(strengths)
    images = NOISE * (1 + columns(3))
    for other in (3 * images + 1, images[:, :, 1:], images[:, :, ::-1]):
        assert lattice.strength(other) == pytest.approx(lattice.strength(images), rel=0.05)


def test_flat_images_have_none():
    assert lattice.strength(np.ones((1, 8, 8, 1))) == 0
