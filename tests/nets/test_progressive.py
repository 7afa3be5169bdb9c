"""Nets whose resolution grows: levels in use, what they see, and how a level fades in."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import portability, random
from tfgen.errors import UserError
from tfgen.nets.architectures.levels import level_filters, level_sides
from tfgen.nets.architectures.progressive import ProgressiveEnergy
from tfgen.nets.families import triangle_progressive as family

SHAPE = (16, 16, 2)


@pytest.fixture(scope="module")
def nets():
    """A generator, an energy and an inference net of three levels."""
    options = {"width": 0.01}
    return (
        family.generator(SHAPE, latent_dim=6, normalization="group", **options),
        family.energy(SHAPE, **options),
        family.inference(SHAPE, latent_dim=6, **options),
    )


def at(nets, depth: int, fade: float = 1.0) -> None:
    for net in nets:
        net.depth = depth
        net.fade.assign(fade)


def normals(shape, number: int) -> tf.Tensor:
    return random.normal(shape, random.root(number))


def answers(nets, x: tf.Tensor, z: tf.Tensor) -> list[np.ndarray]:
    generator, energy, inference = nets
    return [np.asarray(found) for found in (generator(z), energy(x), *inference(x))]


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ((64, 64, 3), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)]),
        ((28, 28, 1), [(7, 7), (14, 14), (28, 28)]),
        ((9, 16, 1), [(9, 16)]),
    ],
)
def test_levels_halve_images_while_sides_are_even(shape, sides):
    assert level_sides(shape) == sides


def test_filters_are_those_of_the_table():
    found = level_filters(1.0, (1024, 1024, 3))
    assert found == [512, 512, 512, 512, 256, 128, 64, 32, 16]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_below_the_full_size_nets_see_means_of_blocks_and_draw_blocks(nets, depth):
    at(nets, depth)
    x, z = normals((2, *SHAPE), 0), normals((2, 6), 1)
    blocks = x
    for _ in range(3 - depth):
        blocks = portability.halved(blocks)
    for _ in range(3 - depth):
        blocks = portability.doubled(blocks)
    image, *seen = answers(nets, x, z)
    for found, expected in zip(seen, answers(nets, blocks, z)[1:], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    step = 2 ** (3 - depth)
    np.testing.assert_array_equal(image, image[:, ::step, ::step].repeat(step, 1).repeat(step, 2))


@pytest.mark.parametrize("depth", [2, 3])
def test_a_new_level_begins_as_if_it_were_not_there(nets, depth):
    x, z = normals((2, *SHAPE), 2), normals((2, 6), 3)
    at(nets, depth - 1)
    before = answers(nets, x, z)
    at(nets, depth, 0.0)
    for found, expected in zip(answers(nets, x, z), before, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    at(nets, depth, 1.0)
    for found, expected in zip(answers(nets, x, z), before, strict=True):
        assert np.abs(found - expected).max() > 1e-4


@pytest.mark.parametrize("role", ["generator", "energy", "inference"])
def test_the_levels_in_use_alone_have_gradients(nets, role):
    at(nets, 2, 0.5)
    net = dict(zip(("generator", "energy", "inference"), nets, strict=True))[role]
    with tf.GradientTape() as tape:
        given = normals((2, 6), 4) if role == "generator" else normals((2, *SHAPE), 4)
        loss = tf.reduce_sum(tf.nest.flatten(net(given, training=True))[0] ** 2)
    variables = net.trainable_variables
    found = tape.gradient(loss, [v.value for v in variables])
    reached = {v.path for v, g in zip(variables, found, strict=True) if g is not None}
    missed = {v.path for v in variables} - reached
    levels = {path.split("/")[-2].rsplit("_", 1)[-1] for path in missed} - {"var"}
    assert reached and levels <= {"3", "5", "6"}  # the fifth and sixth normalization are level 3's
    assert any(path.split("/")[-2].endswith("_3") for path in missed)


def test_a_net_of_other_levels_than_the_images_is_refused():
    with pytest.raises(UserError, match="images of 2 levels"):
        ProgressiveEnergy([4, 4], (32, 32, 1))


def test_doubling_repeats_pixels_and_halving_undoes_it():
    x = normals((2, 3, 4, 5), 5)
    doubled = portability.doubled(x)
    np.testing.assert_array_equal(doubled, np.asarray(x).repeat(2, 1).repeat(2, 2))
    np.testing.assert_allclose(portability.halved(doubled), x, atol=1e-6)
