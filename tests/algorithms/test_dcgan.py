"""DCGAN: each net descends its own loss, and one on the other's newest weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.algorithms.dcgan import DCGAN
from tfgen.nets.families import dcgan_digits

SHAPE = (8, 8, 1)


def dcgan(rate=0.1):
    """Returns a DCGAN of small nets, seeded, with plain gradient descent."""
    keras.utils.set_random_seed(0)
    nets = [
        getattr(dcgan_digits, role)(SHAPE, width=0.2) for role in ("discriminator", "generator")
    ]
    algorithm = DCGAN(*nets, image_shape=SHAPE)
    algorithm.compile({role: keras.optimizers.SGD(rate) for role in ("discriminator", "generator")})
    return algorithm


def batch(count=6):
    return {
        "image": tf.tanh(random.normal((count, *SHAPE), random.root(1))),
        "index": tf.range(count),
    }


def losses_by_hand(algorithm, images, seed):
    """Computes both losses with NumPy, before and after the discriminator's step by hand."""
    z = random.normal((len(images), *algorithm.model.generator.latent_shape), seed)
    x = algorithm.model.generator(z, training=True)
    weights = algorithm.model.discriminator.trainable_variables
    with tf.GradientTape() as tape:
        data, samples = (
            algorithm.model.discriminator(i, training=True) for i in (images, tf.stop_gradient(x))
        )
        loss = -tf.reduce_mean(tf.math.log_sigmoid(data)) - tf.reduce_mean(
            tf.math.log(1 - tf.sigmoid(samples))
        )
        loss /= 2
    gradients = tape.gradient(loss, [w.value for w in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.assign(weight.value - 0.1 * gradient)
    generated = -tf.reduce_mean(
        tf.math.log_sigmoid(algorithm.model.discriminator(x, training=True))
    )
    return float(loss), float(generated), [w.numpy() for w in weights]


def test_an_update_is_a_discriminators_step_then_a_generators_against_it():
    seed = random.root(3)
    cross_entropy, generator_loss, weights = losses_by_hand(dcgan(), batch()["image"], seed)
    algorithm = dcgan()
    logs = algorithm.update(batch(), seed)
    np.testing.assert_allclose(logs["cross_entropy"], cross_entropy, rtol=1e-5)
    np.testing.assert_allclose(logs["generator_loss"], generator_loss, rtol=1e-4)
    for found, expected in zip(
        algorithm.model.discriminator.trainable_variables, weights, strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_a_discriminator_that_cannot_tell_has_a_loss_of_ln_2():
    algorithm = dcgan()
    for weight in algorithm.model.discriminator.head.trainable_variables:
        weight.assign(tf.zeros_like(weight.value))
    logs = algorithm.update(batch(), random.root(0))
    np.testing.assert_allclose(logs["cross_entropy"], np.log(2), rtol=1e-6)


def test_it_generates_and_tells_features_and_infers_nothing():
    algorithm = dcgan()
    assert set(algorithm.model.endpoints()) == {"decode", "generate", "features"}
    image = batch()["image"]
    found = algorithm.model.endpoints()["features"].traced()(image=image)["features"]
    maps = [tf.reshape(h, [6, -1]) for h in algorithm.model.discriminator.maps(image)[-3:]]
    np.testing.assert_allclose(found, tf.concat(maps, 1), rtol=1e-5, atol=1e-7)
    assert set(algorithm.pictures(batch())) == {"samples"}


@pytest.mark.slow
def test_it_learns_the_digits():
    """The mean and the deviation of the pixels agree after 600 updates.

    The tolerance is a third of the deviation. Other seeds pass too.
    """
    from tfgen.data import examples

    digits = examples.load("digits").train
    keras.utils.set_random_seed(0)
    nets = [
        getattr(dcgan_digits, role)(SHAPE, width=0.5) for role in ("discriminator", "generator")
    ]
    algorithm = DCGAN(*nets, image_shape=SHAPE)
    algorithm.compile(
        {role: keras.optimizers.Adam(1e-3, beta_1=0.5) for role in ("discriminator", "generator")}
    )
    algorithm.fit(digits.batches(50, random.root(0)), steps_per_epoch=600, verbose=0)
    samples = algorithm.model.generate(tf.constant(500), random.root(1)).numpy()
    real = digits.as_float()
    assert np.abs(samples.mean(axis=0) - real.mean(axis=0)).mean() < real.std() / 3
    assert abs(samples.std() - real.std()) < real.std() / 3
