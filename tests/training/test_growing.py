"""Growth: depth and fading as functions of the step, in one run or in several."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import losses, random
from tfgen.algorithms.divergence_triangle import DivergenceTriangle
from tfgen.errors import UserError
from tfgen.nets.families import triangle_digits, triangle_progressive
from tfgen.training import replicas
from tfgen.training.growth import Growth

pytestmark = pytest.mark.eager

SHAPE = (16, 16, 1)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype(np.float32)


def triangle(**options) -> DivergenceTriangle:
    keras.utils.set_random_seed(0)
    nets = (
        triangle_progressive.energy(SHAPE, width=0.01),
        triangle_progressive.generator(SHAPE, width=0.01, latent_dim=4),
        triangle_progressive.inference(SHAPE, width=0.01, latent_dim=4),
    )
    algorithm = DivergenceTriangle(*nets, image_shape=SHAPE, preset="scaled", **options)
    algorithm.compile({role: keras.optimizers.Adam(1e-3) for role in algorithm.nets})
    return algorithm


class Seen(keras.callbacks.Callback):
    """Notes depth and share of each update."""

    def __init__(self, algorithm):
        super().__init__()
        self.net, self.notes = algorithm.nets["generator"], []

    def on_train_batch_end(self, batch, logs=None):
        self.notes.append((self.net.depth, round(float(self.net.fade.numpy()), 4)))


def trained(algorithm, steps: int) -> list[tuple[int, float]]:
    seen = Seen(algorithm)
    epochs = steps // 2  # of two batches
    algorithm.fit(IMAGES, batch_size=4, epochs=epochs, verbose=0, callbacks=[seen])
    return seen.notes


def test_a_level_appears_every_so_many_updates_and_fades_in():
    algorithm = triangle(level_updates=4, fading=0.5)
    expected = [(1, 1.0)] * 4
    for depth in (2, 3):
        expected += [(depth, 0.3333), (depth, 0.6667), (depth, 1.0), (depth, 1.0)]
    assert trained(algorithm, 12) == expected
    assert algorithm.last_growth == 8


def test_a_run_in_two_parts_ends_as_one_in_one_part():
    """A level appears and fades in within the first part, and one as the second begins."""
    whole, parts = triangle(level_updates=2), triangle(level_updates=2)
    assert [depth for depth, _ in trained(whole, 6)] == [1, 1, 2, 2, 3, 3]
    trained(parts, 4)
    trained(parts, 2)
    for role, net in whole.nets.items():
        for ours, theirs in zip(parts.nets[role].weights, net.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_samples_have_the_resolution_of_the_level():
    algorithm = triangle(level_updates=4)
    trained(algorithm, 2)
    found = np.asarray(algorithm.model.generate(2, np.array([0, 1], np.int32)))
    assert found.shape == (2, *SHAPE)
    np.testing.assert_array_equal(found, found[:, ::4, ::4].repeat(4, 1).repeat(4, 2))


def test_steps_that_run_together_do_not_pass_a_level():
    algorithm = triangle(level_updates=4)
    growth = Growth(algorithm, ["energy"], 4)
    algorithm.step.assign(9)  # no multiple of 4 was seen
    growth.on_train_batch_begin(0)
    assert algorithm.nets["energy"].depth == 3


def test_nets_that_cannot_grow_are_refused():
    nets = (
        triangle_digits.energy((8, 8, 1)),
        triangle_digits.generator((8, 8, 1)),
        triangle_digits.inference((8, 8, 1)),
    )
    with pytest.raises(UserError, match="expected nets that grow together"):
        DivergenceTriangle(*nets, image_shape=(8, 8, 1), level_updates=5)


@pytest.mark.parametrize(("normalization", "may"), [("group", True), ("batch", False)])
def test_nets_that_grow_accumulate_on_replicas_without_batch_statistics(
    normalization, may, monkeypatch
):
    """The share of a level is no obstacle: growth alone assigns to it, between updates."""
    nets = (
        triangle_progressive.energy(SHAPE, width=0.01),
        triangle_progressive.generator(
            SHAPE, width=0.01, latent_dim=4, normalization=normalization
        ),
        triangle_progressive.inference(SHAPE, width=0.01, latent_dim=4),
    )
    algorithm = DivergenceTriangle(*nets, image_shape=SHAPE, level_updates=4)
    monkeypatch.setattr(replicas, "count", lambda: 2)
    if may:
        algorithm.compile(dict.fromkeys(algorithm.nets, "adam"), accumulate=2)
    else:
        with pytest.raises(UserError, match="the net generator has batch statistics"):
            algorithm.compile(dict.fromkeys(algorithm.nets, "adam"), accumulate=2)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_gradient_penalty_is_that_of_the_smaller_images(depth):
    algorithm = triangle(level_updates=4, gradient_penalty=0.7)
    for net in algorithm.nets.values():
        net.depth = depth
    side = 4 * 2 ** (depth - 1)
    small = tf.random.stateless_uniform((3, side, side, 1), [0, 1], -1, 1)

    def full(images):
        return tf.repeat(tf.repeat(images, 16 // side, 1), 16 // side, 2)

    with tf.GradientTape() as tape:
        tape.watch(small)
        total = tf.reduce_sum(algorithm.nets["energy"](full(small)))
    squares = tf.reduce_sum(tape.gradient(total, small) ** 2, axis=(1, 2, 3))
    expected = 0.7 * tf.reduce_mean(squares) / 2
    found = algorithm._regularizer(full(small), full(small))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_likelihood_is_that_of_the_smaller_images(depth):
    """But for a constant, which is what blocks of pixels vary around their mean."""
    algorithm = triangle(level_updates=4)
    for net in algorithm.nets.values():
        net.depth = depth
    block = 2 ** (3 - depth)
    x = tf.constant(IMAGES)
    decoded, found = algorithm._q_p({"image": x}, random.root(0))
    mean, log_var = algorithm.nets["inference"](x, training=True)

    def small(images):
        return tf.nn.avg_pool2d(images, block, block, "VALID")

    expected = losses.kl_q_p(small(x), small(decoded), mean, log_var, algorithm.sigma)
    around = tf.repeat(tf.repeat(small(x), block, 1), block, 2) - x
    constant = tf.reduce_sum(around**2) / (2 * block**2 * algorithm.sigma**2 * len(x))
    np.testing.assert_allclose(found, expected + constant, rtol=1e-4)
