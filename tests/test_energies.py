"""Closures over energies, and the gradient that samplers take."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, patches, random
from tfgen.data.toy import Gaussian, Mixture
from tfgen.nets.families import generative_convnet_object
from tfgen.types import Places


def net(outputs=1):
    """A small smooth net with weights large enough to matter."""
    keras.utils.set_random_seed(0)
    found = generative_convnet_object.energy(
        (8, 8, 1), width=0.1, activation="swish", outputs=outputs
    )
    for weight in found.trainable_variables:
        weight.assign(10 * weight.value)
    return found


X = random.normal([3, 8, 8, 1], random.root(0))


def test_value_and_grad_agrees_with_finite_differences():
    """Along random directions, to 1 %: truncation is h², rounding in float32 is 1e-7 U / h."""
    energy = energies.tilted(energies.frozen(net()), 0.5)
    u, gradient = energies.value_and_grad(energy, X)
    np.testing.assert_array_equal(u, energy(X))
    for seed in range(5):
        direction = random.normal(X.shape, random.root(10 + seed))
        difference = (energy(X + 0.01 * direction) - energy(X - 0.01 * direction)) / 0.02
        slope = tf.reduce_sum(gradient * direction, axis=[1, 2, 3])
        scale = energies.norm(gradient)
        assert np.all(np.abs(difference - slope) < 0.01 * scale)


def test_value_and_grad_does_not_watch_weights():
    weight = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        _, gradient = energies.value_and_grad(
            lambda x: weight * tf.reduce_sum(x**2, axis=[1, 2, 3]), X
        )
    assert outer.watched_variables() == (weight,)
    np.testing.assert_allclose(gradient, 4 * X, rtol=1e-6)


def test_gradients_of_examples_do_not_mix():
    energy = Mixture().energy
    x = random.normal([5, 1, 1, 2], random.root(0))
    together = energies.value_and_grad(energy, x)[1]
    alone = tf.concat([energies.value_and_grad(energy, x[i : i + 1])[1] for i in range(5)], axis=0)
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)


def test_norms_are_euclidean_and_have_a_finite_slope_at_zero():
    x = tf.constant([[[[3.0, 4.0]]], [[[0.0, 0.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        norm = energies.norm(x)
    np.testing.assert_allclose(norm, [5.0, 0.0], atol=2e-6)
    np.testing.assert_allclose(tape.gradient(norm, x)[:, 0, 0], [[0.6, 0.8], [0.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("mean", [0.0, np.float32([0.1, -0.3])])
def test_white_noise_is_a_gaussian_up_to_its_constant(mean):
    from scipy import stats

    x = random.normal([4, 2, 2, 2], random.root(0)).numpy()
    expected = -stats.norm(np.broadcast_to(mean, x.shape), 0.7).logpdf(x).sum(axis=(1, 2, 3))
    constant = 8 * np.log(0.7 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(
        energies.white_noise(0.7, mean)(tf.constant(x)), expected - constant, rtol=1e-5
    )


def test_the_tilted_energy_is_minus_the_score_plus_the_reference():
    """U = -f(y) + |y|² / 2 with y = (x - mean) / sigma.

    A linear score shifts the mean by sigma times its slope.
    """
    a = tf.constant([0.5, -1.0])
    mean, sigma = np.float32([0.2, 0.1]), 0.4
    x = random.normal([6, 1, 1, 2], random.root(0))
    u, gradient = energies.value_and_grad(
        energies.tilted(lambda y: -tf.reduce_sum(a * y, axis=[1, 2, 3]), sigma, mean), x
    )
    y = (x.numpy() - mean) / sigma
    expected = -(y * a.numpy()).sum((1, 2, 3)) + (y**2).sum((1, 2, 3)) / 2
    np.testing.assert_allclose(u, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, (x - (mean + sigma * a)) / sigma**2, rtol=1e-4, atol=1e-4)


def test_conditional_energies_are_each_examples_own_class():
    energies_of_all = net(outputs=4)
    label = tf.constant([2, 0, 3])
    expected = tf.gather(energies_of_all(X), label, batch_dims=1)
    np.testing.assert_allclose(energies.conditional(energies_of_all, label)(X), expected, rtol=1e-6)


def test_a_clamped_energy_has_no_slope_at_known_pixels():
    energy = energies.tilted(energies.frozen(net()), 0.5)
    mask = tf.cast(random.uniform([3, 8, 8, 1], random.root(1)) < 0.5, tf.float32)
    image = random.normal(X.shape, random.root(2))
    u, gradient = energies.value_and_grad(energies.clamped(energy, image, mask), X)
    whole = tf.where(mask == 1, image, X)
    np.testing.assert_allclose(u, energy(whole), rtol=1e-5)
    np.testing.assert_array_equal(gradient.numpy()[mask.numpy() == 1], 0)
    free = energies.value_and_grad(energy, whole)[1].numpy()
    np.testing.assert_allclose(
        gradient.numpy()[mask.numpy() == 0], free[mask.numpy() == 0], rtol=1e-5, atol=1e-6
    )


def test_a_clamped_energy_does_not_depend_on_what_stands_at_missing_pixels():
    energy = energies.tilted(energies.frozen(net()), 0.5)
    mask = tf.concat([tf.ones([3, 4, 8, 1]), tf.zeros([3, 4, 8, 1])], axis=1)
    a, b = (
        energies.clamped(energy, mask * X + (1 - mask) * filler, mask)(X) for filler in (0.0, 7.0)
    )
    np.testing.assert_array_equal(a, b)


def test_a_frozen_net_runs_in_inference_mode():
    dropout = keras.Sequential([keras.layers.Dropout(0.9), keras.layers.Flatten()])
    np.testing.assert_array_equal(energies.frozen(dropout)(X), tf.reshape(X, [3, 64]))


# the posterior of a generator


def linear_generator(pixels=(2, 3, 1), latent_shape=(3,)):
    """g(z) = W z + b of normal weights, float64 copies of W and b, and images."""
    rng = np.random.default_rng(0)
    w, b = (
        rng.normal(size=(np.prod(pixels), np.prod(latent_shape))),
        rng.normal(size=np.prod(pixels)),
    )

    def decode(z):
        z = tf.reshape(z, [-1, w.shape[1]])
        return tf.reshape(
            tf.linalg.matvec(tf.constant(w, z.dtype), z) + tf.constant(b, z.dtype), [-1, *pixels]
        )

    return decode, w, b, tf.constant(rng.normal(size=(4, *pixels)), tf.float32)


def flat(x):
    """[b, n], float64."""
    return np.reshape(np.float64(x), (len(x), -1))


@pytest.mark.parametrize("latent_shape", [(3,), (2, 1, 2)], ids=["vector", "map"])
def test_the_posterior_energy_is_minus_the_log_joint_density_up_to_a_constant(latent_shape):
    """Differences of -log N(x; g(z), σ²) N(z; 0, 1) between two z."""
    from scipy import stats

    decode, w, b, x = linear_generator(latent_shape=latent_shape)
    energy = energies.posterior(decode, x, 0.7)
    ends, expected = [], []
    for seed in (0, 1):
        z = random.normal((4, *latent_shape), random.root(seed))
        ends.append(energy(z).numpy())
        likelihood = stats.norm(flat(z) @ w.T + b, 0.7).logpdf(flat(x)).sum(axis=1)
        expected.append(-likelihood - stats.norm(0, 1).logpdf(flat(z)).sum(axis=1))
    np.testing.assert_allclose(ends[1] - ends[0], expected[1] - expected[0], rtol=1e-4, atol=1e-4)


def test_the_posteriors_gradient_agrees_with_finite_differences():
    """Of a generator with a bend, in float64: central differences are right to h², here to 1e-8."""
    decode, _, _, x = linear_generator()
    mask = tf.cast(random.uniform((4, 2, 3, 1), random.root(2)) < 0.6, tf.float64)
    energy = energies.posterior(lambda z: tf.tanh(decode(z)), tf.cast(x, tf.float64), 0.7, mask)
    z, direction = (random.normal((4, 3), random.root(seed), tf.float64) for seed in (0, 1))
    _, gradient = energies.value_and_grad(energy, z)
    difference = (energy(z + 1e-5 * direction) - energy(z - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(tf.reduce_sum(gradient * direction, axis=1), difference, rtol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_the_posterior_of_a_linear_generator_is_least_at_its_mean(masked):
    """At (W'W / σ² + 1)^-1 W'(x - b) / σ², with rows of W for known pixels alone.

    Around it the energy rises with the posterior's precision.
    """
    decode, w, b, x = linear_generator()
    known = np.ones(6) if not masked else np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    mask = tf.reshape(tf.constant(known, tf.float32), [1, 2, 3, 1]) if masked else None
    energy = energies.posterior(decode, x, 0.7, mask)
    precision = w.T * known @ w / 0.7**2 + np.eye(3)
    best = (flat(x) - b) * known @ w / 0.7**2 @ np.linalg.inv(precision)
    least, gradient = energies.value_and_grad(energy, tf.constant(best, tf.float32))
    np.testing.assert_allclose(gradient, np.zeros((4, 3)), atol=1e-4)
    step = random.normal((4, 3), random.root(0))
    rise = np.einsum("bi,ij,bj->b", step, precision, step) / 2
    np.testing.assert_allclose(
        energy(tf.constant(best, tf.float32) + step) - least, rise, rtol=1e-4, atol=1e-4
    )


def test_the_posterior_does_not_see_missing_pixels_and_a_mask_of_ones_changes_nothing():
    decode, _, _, x = linear_generator()
    z = random.normal((4, 3), random.root(0))
    mask = tf.concat([tf.ones([4, 1, 3, 1]), tf.zeros([4, 1, 3, 1])], axis=1)
    a, b = (
        energies.posterior(decode, x + filler * (1 - mask), 0.7, mask)(z) for filler in (0.0, 3.0)
    )
    np.testing.assert_array_equal(a, b)
    whole = [energies.posterior(decode, x, 0.7, mask)(z) for mask in (None, tf.ones_like(mask))]
    np.testing.assert_array_equal(*whole)


# a cascade of classifiers


def linear(weights, offset=0.0):
    """A classifier with these log-odds of two numbers."""
    return lambda x: tf.reduce_sum(x * tf.constant(weights, tf.float32), axis=[1, 2, 3]) + offset


TWO = random.normal([6, 1, 1, 2], random.root(0))


def test_a_cascade_is_white_noise_less_the_sum_of_its_log_odds():
    """Equation 12: linear log-odds give a Gaussian, its mean sigma² times their weights' sum."""
    weights = np.float32([[1.0, -2.0], [0.5, 0.25], [-3.0, 1.0]])
    energy = energies.cascade_density([linear(w, offset) for offset, w in enumerate(weights)], 0.4)
    x = TWO.numpy().reshape(6, 2)
    u, gradient = energies.value_and_grad(energy, TWO)
    expected = (x**2).sum(1) / (2 * 0.4**2) - x @ weights.sum(0) - (0 + 1 + 2)
    np.testing.assert_allclose(u, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        gradient[:, 0, 0], (x - 0.4**2 * weights.sum(0)) / 0.4**2, rtol=1e-4, atol=1e-4
    )


def test_a_cascade_of_none_is_white_noise():
    np.testing.assert_array_equal(
        energies.cascade_density([], 0.4)(TWO), energies.white_noise(0.4)(TWO)
    )


def test_a_cascade_of_exact_classifiers_is_the_data_whatever_came_before():
    """An exact classifier has ln g = ln p+ - ln p, with p the product of those before it."""
    data = Gaussian()
    kept = [linear([1.0, -2.0]), lambda x: -tf.reduce_sum(x**4, axis=[1, 2, 3])]
    before = energies.cascade_density(kept, 0.4)
    after = energies.cascade_density([*kept, lambda x: before(x) - data.energy(x)], 0.4)
    np.testing.assert_allclose(after(TWO), data.energy(TWO), rtol=1e-5, atol=1e-4)


# an energy of patches

AT = Places(
    tf.constant([0, 0, 1, 1, 2, 2]),
    tf.constant([0, 2, 4, 4, 3, 1]),
    tf.constant([0, 1, 4, 4, 1, 3]),
)
"""Two patches of each of three images: some overlap, some are the same."""


def by_hand(energy, size, x=X, at=AT):
    """Means over an image's patches of their energies, and over a pixel's of their slopes."""
    u, total, cover = np.zeros((len(x), 2)), np.zeros(x.shape), np.zeros(x.shape)
    for i, (which, top, left) in enumerate(zip(*at, strict=True)):
        inside = np.s_[int(which), int(top) : int(top) + size, int(left) : int(left) + size]
        values, slope = energies.value_and_grad(energy, x[inside][None])
        u[int(which), i % 2] = values[0]
        total[inside] += slope[0]
        cover[inside] += 1
    return u.mean(axis=1), total / np.maximum(cover, 1), cover


def patch_energy(size):
    """Of patches: a tilted net."""
    keras.utils.set_random_seed(0)
    found = generative_convnet_object.energy((size, size, 1), width=0.1, activation="swish")
    return energies.tilted(energies.frozen(found), 0.5)


def test_an_energy_of_patches_has_the_mean_value_and_the_mean_slope_of_those_that_cover_a_pixel():
    u, gradient = energies.value_and_grad(energies.patchwork(patch_energy(4), AT, 4), X)
    expected, slope, cover = by_hand(patch_energy(4), 4)
    assert set(np.unique(cover)) == {0, 1, 2}
    np.testing.assert_allclose(u, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(gradient.numpy()[cover == 0], 0)


def test_a_patch_of_the_whole_image_has_the_images_own_energy_and_slope():
    zeros = tf.zeros([3], tf.int32)
    at, energy = Places(tf.range(3), zeros, zeros), patch_energy(8)
    for found, own in zip(
        energies.value_and_grad(energies.patchwork(energy, at, 8), X),
        energies.value_and_grad(energy, X),
        strict=True,
    ):
        np.testing.assert_allclose(found, own, rtol=1e-5, atol=1e-6)


def test_a_sum_of_functions_of_pixels_has_the_slope_of_the_whole_wherever_a_patch_lies():
    """All patches agree about a pixel, so that their mean has no factor for their number."""
    _, gradient = energies.value_and_grad(energies.patchwork(energies.white_noise(0.5), AT, 4), X)
    cover = by_hand(energies.white_noise(0.5), 4)[2]
    np.testing.assert_allclose(gradient, np.where(cover > 0, 4 * X, 0), rtol=1e-5)


def test_an_energy_of_patches_beside_a_picture_sees_both_at_the_same_places():
    other = random.normal(X.shape, random.root(5))

    def apart(x, beside):
        return tf.reduce_sum((x - beside) ** 2, axis=[1, 2, 3])

    u = energies.patchwork(apart, AT, 4, other)(X)
    each = apart(patches.cut(X, AT, 4), patches.cut(other, AT, 4)).numpy().reshape(3, 2)
    np.testing.assert_allclose(u, each.mean(axis=1), rtol=1e-5)
