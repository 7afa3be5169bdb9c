"""How many levels of grey images have, and the bits that they take."""

import math

import numpy as np
import pytest

from tfgen.analysis.levels import bits_per_dim, count_levels, dequantized
from tfgen.data import examples

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [2, 3, 8, 16, 17, 32, 64, 100, 128])
def test_levels_are_counted_of_floats_and_of_bytes(count):
    number = RNG.permutation(np.arange(500) % count).reshape(-1, 5, 5, 1)
    assert count_levels(np.float32(number * 2 / (count - 1) - 1)) == count
    assert count_levels(np.float32(np.round(number * 255 / (count - 1)) / 127.5 - 1)) == count


def test_levels_that_were_cut_to_bytes_are_counted():
    number = np.arange(17).reshape(1, 17, 1, 1)
    assert count_levels(number * 255 // 16 / 127.5 - 1) == 17


def test_embedded_digits_have_17_levels_and_bytes_and_noise_have_256():
    assert count_levels(examples.load("digits").train.shown()) == 17
    noise = RNG.uniform(-1, 1, (20, 8, 8, 1))
    assert count_levels(noise) == 256
    assert count_levels(np.round((noise + 1) * 127.5) / 127.5 - 1) == 256


def test_noise_stays_within_each_levels_share_of_the_box():
    """It is uniform: mean and variance within 5 standard errors of 20,000 draws."""
    levels = np.float32([-1, 0, 1])
    x = dequantized(np.tile(levels, (20_000, 1)), 3, RNG)
    assert (x[:, 0] >= -1).all()
    assert (x[:, 0] <= -0.5).all()
    assert (np.abs(x[:, 1]) <= 0.5).all()
    assert (x[:, 2] >= 0.5).all()
    assert (x[:, 2] <= 1).all()
    np.testing.assert_allclose(x.mean(axis=0), [-0.75, 0, 0.75], atol=5 * 0.5 / math.sqrt(20_000))
    np.testing.assert_allclose(x.std(axis=0), np.array([0.5, 1, 0.5]) / math.sqrt(12), rtol=0.03)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_bits_of_the_uniform_density_are_the_logarithm_of_each_levels_share(levels):
    """An end's share of [-1, 1] is half of an inner level's, 1 / (levels - 1)."""
    image = np.float32(np.linspace(-1, 1, levels)).reshape(1, levels, 1, 1)
    shares = np.full(levels, 1 / (levels - 1))
    shares[[0, -1]] /= 2
    found = bits_per_dim(-levels * math.log(2), image, levels)
    assert found == pytest.approx(-np.log2(shares).mean())
