"""Closures over energies, and the one gradient that samplers take."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, random
from tfgen.data.toy import Mixture
from tfgen.nets import generative_convnet_object


def net(outputs=1):
    """A small smooth net with weights large enough to matter."""
    keras.utils.set_random_seed(0)
    found = generative_convnet_object.energy((8, 8, 1), width=0.1, activation="swish", outputs=outputs)
    for weight in found.trainable_variables:
        weight.assign(10 * weight.value)
    return found


X = random.normal([3, 8, 8, 1], random.root(0))


def test_value_and_grad_agrees_with_finite_differences():
    """Central differences along random directions in float32: truncation h² and rounding 1e-7 U / h, under 1 %."""
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
        _, gradient = energies.value_and_grad(lambda x: weight * tf.reduce_sum(x**2, axis=[1, 2, 3]), X)
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
    np.testing.assert_allclose(energies.white_noise(0.7, mean)(tf.constant(x)), expected - constant, rtol=1e-5)


def test_the_tilted_energy_is_minus_the_score_plus_the_reference():
    """U = -f(y) + |y|² / 2 with y = (x - mean) / sigma; a linear score shifts the mean by sigma times itself."""
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
    np.testing.assert_allclose(gradient.numpy()[mask.numpy() == 0], free[mask.numpy() == 0], rtol=1e-5, atol=1e-6)


def test_a_clamped_energy_does_not_depend_on_what_stands_at_missing_pixels():
    energy = energies.tilted(energies.frozen(net()), 0.5)
    mask = tf.concat([tf.ones([3, 4, 8, 1]), tf.zeros([3, 4, 8, 1])], axis=1)
    a, b = (energies.clamped(energy, mask * X + (1 - mask) * filler, mask)(X) for filler in (0.0, 7.0))
    np.testing.assert_array_equal(a, b)


def test_a_frozen_net_runs_in_inference_mode():
    dropout = keras.Sequential([keras.layers.Dropout(0.9), keras.layers.Flatten()])
    np.testing.assert_array_equal(energies.frozen(dropout)(X), tf.reshape(X, [3, 64]))
