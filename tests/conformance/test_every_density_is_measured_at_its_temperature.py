"""Measurements of a density see exp(-U / T), in the box that its chains live in.

The energy is white noise's, U = |x - m|² / (2 sigma²), at T = .5, whose answers are known. Without
bounds a pixel deviates by sigma √T, and Z = (2 π sigma² T)^(d / 2). In a box, pixels follow the
truncated normal distribution.
"""

import functools
import math

import keras
import numpy as np
import pytest
from scipy import stats
from support import registry

from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data.examples import Examples, Images
from tfgen.distributions import Gaussian, TruncatedGaussian
from tfgen.evaluation.accuracy import Accuracy
from tfgen.evaluation.likelihood import Likelihood
from tfgen.evaluation.mixing import Mixing
from tfgen.nets.families import generative_convnet_digits

SHAPE = (8, 8, 1)
SIZE = math.prod(SHAPE)
SIGMA, MEAN, TEMPERATURE = 0.6, 0.2, 0.5
DEVIATION = SIGMA * TEMPERATURE**0.5
CHAINS = 64
TOLERANCE = 5 / math.sqrt(2 * SIZE * CHAINS)
"""Five standard errors of the deviation of as many independent normal pixels, as a share of it.

It is exceeded with a probability of 6e-7. Truncated ones spread less about theirs.
"""

every_box = pytest.mark.parametrize("clamp", [False, True], ids=["unbounded", "box"])
every_box_slowly = pytest.mark.parametrize(
    "clamp",
    [pytest.param(False, id="unbounded", marks=pytest.mark.slow), pytest.param(True, id="box")],
)


def pictures(count):
    """Returns images of labelled noise."""
    rng = np.random.default_rng(0)
    image = np.clip(MEAN + DEVIATION * rng.normal(size=(count, *SHAPE)), -1, 1)
    return Examples(image.astype(np.float32), np.arange(count) % 2)


DATA = Images(pictures(80), pictures(20), SHAPE, 80)


@functools.cache
def model(clamp, outputs=1):
    """Returns a generative ConvNet whose score is zero."""
    keras.utils.set_random_seed(0)
    net = generative_convnet_digits.energy(SHAPE, width=0.1, outputs=outputs)
    for weight in net.weights:
        weight.assign(0 * weight.value)
    return GenerativeConvNet(
        net,
        image_shape=SHAPE,
        image_mean=[MEAN],
        sigma=SIGMA,
        chains=CHAINS,
        step_size=0.2 * SIGMA,
        temperature=TEMPERATURE,
        clamp=clamp,
    ).model


def pixel(clamp):
    """Returns the distribution of a pixel."""
    if not clamp:
        return stats.norm(MEAN, DEVIATION)
    low, high = ((end - MEAN) / DEVIATION for end in (-1, 1))
    return stats.truncnorm(low, high, loc=MEAN, scale=DEVIATION)


def log_z(clamp):
    """Computes log ∫ exp(-U / T) over all images, or over those in the box."""
    normal = stats.norm(MEAN, DEVIATION)
    mass = normal.cdf(1) - normal.cdf(-1) if clamp else 1.0
    return SIZE * math.log(DEVIATION * math.sqrt(2 * math.pi) * mass)


@every_box_slowly
def test_corrected_chains_have_the_densitys_deviation(clamp):
    mixing = Mixing(model(clamp), DATA, chains=CHAINS, num_steps=5)
    end = mixing.course(mixing.corrected()).ends[-1]
    expected = pixel(clamp)
    assert end.std() == pytest.approx(expected.std(), rel=TOLERANCE)
    standard_error = expected.std() / math.sqrt(end.size)
    assert end.mean() == pytest.approx(expected.mean(), abs=5 * standard_error)


def test_plain_chains_are_the_models_own():
    """Langevin's steps of 0.2 sigma at T have a variance too large by 1 / (1 - 0.2² / 4)."""
    mixing = Mixing(model(clamp=False), DATA, chains=CHAINS, num_steps=5)
    end = mixing.course(mixing.plain()).ends[-1]
    assert end.std() == pytest.approx(DEVIATION / math.sqrt(1 - 0.2**2 / 4), rel=TOLERANCE)


@every_box
def test_the_normalizing_constant_is_the_closed_form(clamp):
    found = Likelihood(model(clamp), DATA, chains=4, temperatures=4, most_temperatures=4).bounds()
    assert found.lower == pytest.approx(log_z(clamp), abs=1e-2)
    assert found.upper == pytest.approx(log_z(clamp), abs=1e-2)


@every_box_slowly
def test_the_normalizing_constants_of_classes_are_the_closed_form(clamp):
    down, up = Accuracy(model(clamp, outputs=2), DATA, chains=4, temperatures=4).log_z()
    np.testing.assert_allclose(down, log_z(clamp), atol=1e-2)
    np.testing.assert_allclose(up, log_z(clamp), atol=1e-2)


@every_box
@pytest.mark.parametrize("cls", registry.DENSITIES)
def test_energies_are_divided_by_the_temperature(cls, clamp):
    image = DATA.test.as_float()
    expected = ((image - MEAN) ** 2).sum(axis=(1, 2, 3)) / (2 * SIGMA**2 * TEMPERATURE)
    found = cls(model(clamp), DATA)
    np.testing.assert_allclose(found.energies(image), expected, rtol=1e-5)
    distribution = found.target.distribution
    assert isinstance(distribution, TruncatedGaussian if clamp else Gaussian)
    assert distribution.sigma == pytest.approx(DEVIATION)
