"""The likelihood under a generator whose exact likelihood is known: a linear one."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfgen.data.examples import Examples, Images
from tfgen.errors import UserError
from tfgen.evaluation.importance_bound import ImportanceBound
from tfgen.models import EnergyModel, LatentModel, Sampling
from tfgen.nets.architectures.roles import EnergyNet, GeneratorNet, InferenceNet
from tfgen.samplers import Langevin

SIGMA = 0.3
TINY = (2, 3, 1)
WEIGHT = (0.4 * np.random.default_rng(0).standard_normal((2, 6))).astype(np.float32)


class Generator(GeneratorNet):
    """g(z) = z W."""

    def __init__(self):
        super().__init__((2,), TINY)

    def call(self, z, training):
        return tf.reshape(z @ WEIGHT, [-1, *TINY])


class Inference(InferenceNet):
    """q(z|x) with the posterior's mean, and a deviation too large by a factor."""

    def __init__(self, deviation=1.2):
        super().__init__((2,), TINY)
        covariance = np.linalg.inv(np.eye(2) + WEIGHT @ WEIGHT.T / SIGMA**2)
        self.gain = (WEIGHT.T @ covariance / SIGMA**2).astype(np.float32)
        self.log_var = np.log(deviation**2 * np.diag(covariance)).astype(np.float32)

    def call(self, x, training):
        mean = tf.reshape(x, [-1, 6]) @ self.gain
        return mean, self.log_var + tf.zeros_like(mean)


class WhiteNoise(EnergyNet):
    """U(x) = |x|² / 2."""

    def __init__(self):
        super().__init__(TINY)

    def call(self, x, training):
        return tf.reduce_sum(x**2, axis=[1, 2, 3]) / 2


def linear(energy=None, sigma=SIGMA):
    """A model of the generator and what infers its latents."""
    return LatentModel(Generator(), Inference(), energy, image_shape=TINY, sigma=sigma)


def images():
    """Draws of the linear generator, and their exact log-density."""
    rng = np.random.default_rng(1)
    covariance = WEIGHT.T @ WEIGHT + SIGMA**2 * np.eye(6)
    x = rng.multivariate_normal(np.zeros(6), covariance, 40).astype(np.float32)
    split = Examples(x.reshape(-1, *TINY), None)
    exact = stats.multivariate_normal(np.zeros(6), covariance).logpdf(x).mean()
    return Images(split, split, TINY, 40), exact


def test_the_importance_weighted_bound_comes_near_the_exact_likelihood_and_above_the_elbo():
    """5,000 weights, their logarithms' spread below 1.5: within 0.02 of log p over 40 images."""
    data, exact = images()
    found = dict(ImportanceBound(linear(), data, samples=5000).run())
    assert found["elbo"] < found["nats"] - 0.05
    assert found["nats"] == pytest.approx(exact, abs=0.02)
    assert "divergence" not in found


def test_the_triangle_bounds_the_difference_of_the_two_likelihoods():
    """An energy that is white noise, log Z known: D ≥ E log π - E log p.

    Four standard errors of 40 draws are allowed.
    """
    data, exact = images()
    found = dict(ImportanceBound(linear(WhiteNoise()), data, samples=100).run())
    energy = stats.norm.logpdf(data.test.as_float()).sum(axis=(1, 2, 3)).mean()
    assert found["divergence"] > energy - exact - 1.5
    assert found["divergence"] < energy - exact + 6


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: energy(), "tasks decode, encode and found one with anomaly"),
        (lambda: linear(sigma=None), "a sigma of p"),
        (lambda: sampling(), "an inference net and found one that infers latents by sampling"),
    ],
)
def test_a_generator_without_sigma_or_inference_is_refused(model, words):
    with pytest.raises(UserError, match=words):
        ImportanceBound(model(), images()[0])


def sampling():
    """A generator whose latents are sampled."""
    moving = Sampling(Langevin(0.1), 2)
    return LatentModel(Generator(), image_shape=TINY, sigma=SIGMA, inference_sampling=moving)


def energy():
    """A model without a generator."""
    options = {"image_mean": [0.0], "sigma": 1.0, "sampling": Sampling(Langevin(0.1), 2)}
    return EnergyModel(WhiteNoise(), image_shape=TINY, **options)
