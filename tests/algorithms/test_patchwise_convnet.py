"""The patchwise generative ConvNet: what an update descends, and where samples of it start."""

import keras
import numpy as np
import tensorflow as tf

from tfgen import energies, random, samplers
from tfgen.algorithms.patchwise_convnet import PatchwiseConvNet
from tfgen.nets.families import patchwise_convnet

SHAPE = (16, 16, 1)
SEED = random.root(3)


def build(rate=0.0, **options):
    """Returns a small compiled algorithm of three scales: 4, 8 and 16 pixels."""
    keras.utils.set_random_seed(0)
    net = patchwise_convnet.energy(SHAPE, width=0.1)
    given = {"scales": 3, "coarsest": 0.25, "scale_updates": 2, "langevin_steps": 2} | options
    algorithm = PatchwiseConvNet(net, image_shape=SHAPE, image_mean=[0.1], seed=1, **given)
    algorithm.compile({"energy": keras.optimizers.SGD(rate)})
    return algorithm


def batch():
    image = tf.tanh(random.normal([1, *SHAPE], random.root(9)))
    return {"image": image, "index": tf.range(1, dtype=tf.int64)}


def weights(algorithm):
    return [np.copy(w.numpy()) for w in algorithm.model.energy_net.trainable_variables]


def test_an_update_descends_the_difference_of_energies_and_their_squares():
    algorithm = build(rate=1.0, data_noise=0.0, energy_weight=0.3)
    model, net = algorithm.model, algorithm.model.energy_net
    _, start_seed, run_seed = random.split(SEED, 3)
    start = model.at(model.start(4, (16, 16), random.fold_in(start_seed, 3)), 0, (16, 16))
    kernel = model.sampling.kernel
    x, _ = samplers.run(kernel, energies.frozen(net), start, run_seed, 2)
    with tf.GradientTape() as tape:
        data, samples = (net(i) / 16 for i in (model.at(batch()["image"], 0, (16, 16)), x))
        gap = tf.reduce_mean(data) - tf.reduce_mean(samples)
        loss = gap + 0.3 * (tf.reduce_mean(data**2) + tf.reduce_mean(samples**2))
    expected = [
        before - gradient.numpy()
        for before, gradient in zip(
            weights(algorithm), tape.gradient(loss, net.trainable_variables), strict=True
        )
    ]
    logs = algorithm.update(batch(), SEED)
    for found, wanted in zip(weights(algorithm), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(logs["energy_gap"], 16 * gap, rtol=1e-4)


def test_scales_follow_the_step_and_keep_their_energies():
    algorithm = build(rate=0.1)
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    seen = []
    for _ in range(4):
        algorithm.fit(data, steps_per_epoch=2, epochs=1, verbose=0)
        seen.append(algorithm.scale)
    assert seen == [0, 1, 2, 2]
    assert algorithm.model.snapshots.num_kept == 3
    image = batch()["image"]
    kept = [algorithm.model.energy_at(scale)(image).numpy() for scale in range(3)]
    assert len(np.unique(kept)) == 3
    np.testing.assert_allclose(kept[2], algorithm.model.energy_net(image), rtol=1e-4)


def test_what_is_learned_at_a_scale_is_what_it_would_be_in_one_piece():
    data = tf.data.Dataset.from_tensors(batch()).repeat()
    whole, pieces = build(rate=0.1), build(rate=0.1)
    whole.fit(data, steps_per_epoch=5, epochs=1, verbose=0)
    for steps in (3, 2):
        pieces.fit(data, steps_per_epoch=steps, epochs=1, verbose=0)
    for one, other in zip(whole.get_weights(), pieces.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_pictures_have_the_pictures_size_at_every_scale():
    algorithm = build()
    for scale in range(3):
        algorithm.scale = scale
        assert algorithm.pictures(batch())["samples"].shape == (4, *SHAPE)
