"""How latents are inferred: a linear generator's posterior is a Gaussian that is known."""

import numpy as np
import pytest
import tensorflow as tf
from support.linear_models import (
    BIAS,
    SHAPE,
    WEIGHT,
    Gaussian,
    Linear,
    close_to_gaussian,
    compiled,
    stationary,
)

from tfgen import random
from tfgen.models import Amortized, Sampled, reparameterized
from tfgen.samplers import Langevin

SIGMA, STEP = 0.3, 0.3
ALL, SOME = np.ones(6, np.float32), np.float32([1, 1, 0, 0, 1, 0])
"""Masks: what is known of six pixels."""

IMAGE = np.tanh(np.random.default_rng(1).standard_normal(6)).astype(np.float32)


def sampled(num_steps=100, step_size=STEP):
    return Sampled(Linear(), Langevin(step_size), SIGMA, num_steps)


def analytic(mask):
    """Returns mean and precision of z given known pixels.

    They are P = 1 + W M Wᵀ / σ² and mean = P⁻¹ W M (x - b) / σ².
    """
    precision = np.eye(2) + WEIGHT * mask @ WEIGHT.T / SIGMA**2
    return np.linalg.solve(precision, WEIGHT * mask @ (IMAGE - BIAS) / SIGMA**2), precision


def images(count, values=IMAGE):
    return tf.tile(tf.reshape(tf.constant(values), [1, *SHAPE]), [count, 1, 1, 1])


@pytest.mark.parametrize("mask", [ALL, SOME], ids=["whole", "incomplete"])
def test_langevin_dynamics_samples_the_posterior(mask):
    """4,000 chains have the posterior's mean and covariance.

    5 comparisons at 5 standard errors fail with a probability of 3e-6 in all. A chain forgets its
    start by a factor of at least 1 - ε²/2 a step: to 1 % after 100.
    """
    z = compiled(sampled().sample)(images(4000), random.root(0), images(4000, mask))
    mean, precision = analytic(mask)
    close_to_gaussian(z, mean, stationary(precision, STEP))


@pytest.mark.parametrize("mask", [ALL, SOME], ids=["whole", "incomplete"])
def test_the_latents_that_explain_best_are_the_posteriors_mean(mask):
    """Descent ends at the mode.

    It shrinks the distance by a factor of at least 1 - ε²/2 a step: to less than 1e-7 after 400.
    """
    z = compiled(sampled(400).mean)(images(2), images(2, mask))
    np.testing.assert_allclose(z, np.tile(analytic(mask)[0], [2, 1]), atol=1e-5)


@pytest.mark.parametrize("method", ["mean", "sample"])
def test_sampling_does_not_look_at_missing_pixels(method):
    mask = images(3, SOME)
    given = [mask * images(3) + (1 - mask) * missing for missing in (0.0, 0.9)]
    seed = [random.root(1)] if method == "sample" else []
    first, second = (getattr(sampled(5), method)(x, *seed, mask) for x in given)
    np.testing.assert_array_equal(first, second)
    whole = getattr(sampled(5), method)(given[1], *seed)
    assert not np.array_equal(second, whole)


def test_what_explains_an_image_best_does_not_depend_on_its_place_in_the_batch():
    """It does not even before descent has ended."""
    x = tf.tanh(random.normal([4, *SHAPE], random.root(2)))
    z = sampled(3).mean(x)
    np.testing.assert_allclose(sampled(3).mean(x[::-1]), z[::-1], rtol=1e-6)
    np.testing.assert_allclose(sampled(3).mean(x[2:3]), z[2:3], rtol=1e-6)


def test_without_steps_a_sample_is_a_draw_of_the_prior():
    """4,000 draws give 5 comparisons at 5 standard errors, which fail with 3e-6 in all."""
    close_to_gaussian(sampled(0).sample(images(4000), random.root(3)), np.zeros(2), np.eye(2))


@pytest.mark.parametrize(
    "posterior", [sampled(3), Amortized(Gaussian())], ids=["sampled", "amortized"]
)
def test_the_same_seed_gives_the_same_latents_and_another_does_not(posterior):
    first, again, other = (posterior.sample(images(2), random.root(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_an_inference_nets_draws_follow_its_gaussian():
    """4,000 draws give 5 comparisons at 5 standard errors, which fail with 3e-6 in all."""
    posterior = Amortized(Gaussian(0.5))
    mean = IMAGE @ np.linalg.pinv(WEIGHT)
    np.testing.assert_allclose(posterior.mean(images(1))[0], mean, rtol=1e-5)
    close_to_gaussian(posterior.sample(images(4000), random.root(4)), mean, 0.25 * np.eye(2))


def test_an_inference_net_gives_mean_and_log_variance():
    mean, log_var = Amortized(Gaussian(0.5)).gaussian(images(2))
    np.testing.assert_allclose(log_var, np.full((2, 2), np.log(0.25)), rtol=1e-6)
    np.testing.assert_array_equal(mean, Amortized(Gaussian()).mean(images(2)))


def test_an_inference_net_sees_what_stands_at_missing_pixels():
    """Missing pixels are filled in before it is asked."""
    posterior, mask = Amortized(Gaussian()), images(1, SOME)
    filled = [mask * images(1) + (1 - mask) * missing for missing in (0.0, 0.9)]
    assert not np.allclose(posterior.mean(filled[0], mask), posterior.mean(filled[1], mask))


def test_gradients_reach_mean_and_log_variance():
    """They are dz/dmean = 1 and dz/dlog_var = (z - mean) / 2."""
    mean, log_var = tf.constant([[0.5, -1.0]]), tf.constant([[0.3, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = reparameterized(mean, log_var, random.root(0))
    to_mean, to_log_var = tape.gradient(z, [mean, log_var])
    np.testing.assert_allclose(to_mean, np.ones((1, 2)))
    np.testing.assert_allclose(to_log_var, (z - mean) / 2, rtol=1e-5)
