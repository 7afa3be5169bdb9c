"""Seams are found where they are, and nowhere else."""

import numpy as np
import pytest
import tensorflow as tf
from support.digit_models import DATA

from tfgen import random
from tfgen.errors import UserError
from tfgen.evaluation.seams import Seams, seams
from tfgen.models import Model, inputs, task


class Noise(Model):
    """Synthesizes white noise of any size."""

    def __init__(self):
        super().__init__({}, image_shape=(8, 8, 1))

    def inputs(self):
        declared = inputs.count(), inputs.seed(), inputs.size((8, 8))
        return {known.name: known for known in declared}

    @task("image")
    def synthesize(self, count, seed, size):
        """Draws the noise."""
        shape = tf.concat([[count], size, [1]], axis=0)
        return random.uniform(shape, seed, -1.0, 1.0)


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


def test_images_of_the_asked_size_are_measured_at_the_asked_period():
    measure = Seams(Noise(), DATA, size=24, period=5, num_samples=3, seed=4)
    shape = tf.constant([3, 24, 24, 1])
    images = random.uniform(shape, random.root(4), -1.0, 1.0).numpy()
    found = dict(measure.run())
    assert (found["ratio"], found["z"]) == pytest.approx(seams(images, 5), rel=1e-5)


@pytest.mark.parametrize("period", [1, 24, 25])
def test_a_period_without_seams_or_without_other_pixels_is_refused(period):
    with pytest.raises(UserError, match="period: expected"):
        Seams(Noise(), DATA, size=24, period=period)
