"""Likelihood, chains and landscape of energies whose answers are known."""

import functools
import math

import keras
import numpy as np
import pytest
from scipy import stats
from support.digit_models import vae

from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data import examples
from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation.landscape import Landscape
from tfgen.evaluation.likelihood import Likelihood
from tfgen.evaluation.mixing import Mixing
from tfgen.nets.families import generative_convnet_digits

SHAPE = (8, 8, 1)
SIGMA = 0.3


def pictures(count, seed, shape=SHAPE):
    """Labelled draws of N(0, SIGMA²)."""
    rng = np.random.default_rng(seed)
    return Examples(
        (SIGMA * rng.normal(size=(count, *shape))).astype(np.float32), rng.integers(0, 2, count)
    )


DATA = Images(pictures(60, 0), pictures(200, 1), SHAPE, 60)


@functools.cache
def gaussian():
    """A generative ConvNet whose score is zero: white noise."""
    keras.utils.set_random_seed(0)
    net = generative_convnet_digits.energy(SHAPE, width=0.1)
    for weight in net.weights:
        weight.assign(0 * weight.value)
    model = GenerativeConvNet(
        net, image_shape=SHAPE, image_mean=[0.0], sigma=SIGMA, chains=16, step_size=0.5 * SIGMA
    ).model
    model.persistent_chains.state.assign(pictures(16, 2).as_float())
    return model


def test_the_likelihood_of_white_noise_is_exact():
    """U lacks the constant 64 log(sigma √(2π)), and every step of the annealing is the identity."""
    evaluator = Likelihood(
        gaussian(), DATA, num_images=200, chains=5, temperatures=4, most_temperatures=4
    )
    found = dict(evaluator.run())
    log_z = 64 * math.log(SIGMA * math.sqrt(2 * math.pi))
    assert found["log_z_lower"] == pytest.approx(log_z, abs=1e-2)
    assert found["log_z_upper"] == pytest.approx(log_z, abs=1e-2)
    assert found["reached"] == 1
    image = np.clip(DATA.test.as_float(), -1, 1)
    exact = stats.norm.logpdf(image, scale=SIGMA).sum(axis=(1, 2, 3)).mean()
    # between the bounds lies Markov's slack of log 40 each way
    # the rounding's noise changes a mean by less than 0.1
    assert found["nats_lower"] + math.log(40) == pytest.approx(exact, abs=0.1)
    assert found["nats_upper"] - math.log(40) == pytest.approx(exact, abs=0.1)
    assert "two bounds of log Z are" in evaluator.verdict(found)


def test_bits_of_digits_are_of_their_own_17_levels():
    """The protocol states them, and the noise that undoes their rounding is as wide as they are.

    White noise of N(0, sigma²) is exact up to Markov's slack. The expected density of an image
    whose numbers move by e is that of the image less E[(x + e)² - x²] / (2 sigma²) each.
    """
    digits = examples.load("digits", max_images=60)
    likelihood = Likelihood(gaussian(), digits, chains=8, temperatures=4, most_temperatures=4)
    found = dict(likelihood.run())
    assert likelihood.protocol()["levels"] == 17
    image = digits.test.as_float()
    width = 1 / 16  # inner levels reach as far each way, those at the ends inwards alone
    inner, outer = width**2 / 3, -width + width**2 / 3
    moved = np.where(np.abs(image) == 1, outer, inner).sum(axis=(1, 2, 3)).mean()
    nats = stats.norm.logpdf(image, scale=SIGMA).sum(axis=(1, 2, 3)).mean()
    nats -= moved / (2 * SIGMA**2)
    assert found["nats_lower"] + math.log(40) == pytest.approx(nats, abs=2)
    share = np.where(np.abs(image) == 1, 1 / 16, 2 / 16)  # of [-1, 1]
    log_p = found["nats_lower"] + np.log(share).sum(axis=(1, 2, 3)).mean()
    assert found["bits_per_dim_lower"] == pytest.approx(-log_p / (64 * math.log(2)), rel=1e-5)


@pytest.mark.parametrize("gap", [5.0, -5.0])
def test_a_gap_that_stays_is_said(gap):
    said = Likelihood(gaussian(), DATA).verdict({"gap": gap, "temperatures": 400.0, "reached": 0.0})
    assert ("came out 5 nats below" in said) == (gap < 0)


def test_chains_of_white_noise_stay_where_they_start_and_mix():
    """Started from its own persistent chains; steps of half a sigma forget where they were in 8.

    The mean energy of 16 chains is 32 ± 1.4 nats. The plain chain's step is large, and its mean
    energy 32 / (1 - 0.5² / 4) = 34.
    """
    found = dict(Mixing(gaussian(), DATA, chains=16, num_steps=5).run())
    assert found["energy_data"] == pytest.approx(32, abs=2)
    for kind in ("plain", "corrected"):
        for factor in (1, 10, 100):
            assert found[f"energy_{kind}_{factor}x"] == pytest.approx(32, abs=6)
        assert found[f"rhat_{kind}"] < 1.3
        assert found[f"ess_{kind}"] > 16
    assert found["acceptance_corrected"] == pytest.approx(0.57, abs=0.15)


VALUES = {
    "energy_plain_1x": 0.0,
    "energy_plain_100x": 1.0,
    "rhat_plain": 1.01,
    "rhat_corrected": 1.02,
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "A density"),
        ({"rhat_corrected": 3.0}, "do not mix"),
        (
            {"drift_plain": -4.0, "energy_plain_100x": -80.0},
            "sink below where short ones end, by 80 nats",
        ),
        ({"drift_corrected": 4.0}, "short-run generator"),
    ],
)
def test_what_chains_show_is_said_in_words(changed, words):
    values = VALUES | {"drift_plain": 0.1, "drift_corrected": -0.2} | changed
    assert words in Mixing(gaussian(), DATA).verdict(values)


def test_white_noise_is_a_landscape_of_one_minimum():
    found = dict(Landscape(gaussian(), DATA, num_images=12).run())
    assert found["minima"] == found["basins"] == found["straight_basins"] == 1
    share = max(np.bincount(DATA.train.label[:12])) / 12
    assert (
        found["purity"]
        == found["purity_shared"]
        == found["straight_purity"]
        == pytest.approx(share)
    )
    assert "depth" not in found and "agreement" not in found


@pytest.mark.parametrize("cls", [Landscape, Likelihood, Mixing])
def test_a_model_without_an_energy_is_refused(cls):
    with pytest.raises(UserError, match="expected a model with the task energy and found one"):
        cls(vae(), DATA)


@pytest.mark.parametrize(
    "evaluator",
    [
        lambda: Landscape(gaussian(), DATA, points=2),
        lambda: Landscape(gaussian(), DATA, least_depth=-1.0),
        lambda: Likelihood(gaussian(), DATA, temperatures=1),
        lambda: Mixing(gaussian(), DATA, chains=1),
    ],
)
def test_parameters_out_of_their_range_are_refused(evaluator):
    with pytest.raises(UserError, match="expected a number at least"):
        evaluator()
