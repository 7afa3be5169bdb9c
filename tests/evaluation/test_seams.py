"""Seams are found where they are, and nowhere else."""

import numpy as np

from tfgen.evaluation.seams import seams


def noise(count=2, side=96):
    return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 3))


def test_noise_has_none():
    """4 seams' mean change to that of 186 others: |z| exceeds 5 with a probability below 1e-6."""
    ratio, z = seams(noise(), 32)
    assert abs(ratio - 1) < 0.05
    assert abs(z) < 5


def test_tiles_of_a_ramp_have_them():
    """Neighbours in a row differ by 1/32 within a tile and by 31/32 where one ends.

    Neighbours in a column are alike.
    """
    ramp = np.tile(np.arange(32) / 32, 3)
    image = np.broadcast_to(ramp[None, None, :, None], (1, 96, 96, 1)) + 1e-6 * noise(1)[..., :1]
    ratio, z = seams(image, 32)
    np.testing.assert_allclose(ratio, (2 * 31 / 32 / 4) / (93 / 32 / 186), rtol=1e-3)
    assert z > 5
    assert seams(image, 31)[0] < 1.1


def test_seams_are_counted_from_the_border():
    image = noise(1)
    image[:, 32:] += 5  # between the 32nd and the 33rd row
    assert seams(image, 32)[0] > 1.5
    assert seams(image[:, 1:], 32)[0] < 1.2
