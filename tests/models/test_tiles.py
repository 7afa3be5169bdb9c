"""Tiles: how many it takes, that blending is exact, and that no seam is left."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.errors import UserError
from tfgen.models import tiles
from tfgen.models.chains import Chains
from tfgen.nets.families import generative_convnet_digits

SEED = random.root(0)


@pytest.mark.parametrize(
    ("side", "tile", "number"), [(8, 8, 1), (3, 8, 1), (9, 8, 2), (14, 8, 2), (15, 8, 3), (5, 3, 2)]
)
def test_so_many_tiles_cover_a_side(side, tile, number):
    """Tiles of 8 overlap by 2: two of them cover 14. Tiles of 3 do not overlap."""
    assert int(tiles.across(side, tile)) == number
    assert int(tiles.across(tf.constant(side), tile)) == number


@pytest.mark.parametrize("side", [3, 8, 9])
def test_parts_of_one_picture_are_put_together_as_it_was(side):
    """Whatever the weights, as long as they sum to one."""
    step, picture = side - side // 4, random.normal([2, 40, 40, 3], SEED).numpy()
    cut = [
        [picture[:, r * step :][:, :side, c * step :][:, :, :side] for c in range(4)]
        for r in range(3)
    ]
    grid = tf.constant(np.moveaxis(np.array(cut), 2, 0))
    found = tiles.blended(grid)
    assert found.shape == (2, 2 * step + side, 3 * step + side, 3)
    expected = picture[:, : found.shape[1], : found.shape[2]]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_one_tile_fades_into_the_next():
    """From white to black, over two of eight pixels: three quarters, then a quarter."""
    grid = tf.stack([tf.ones([1, 1, 8, 8, 1]), tf.zeros([1, 1, 8, 8, 1])], axis=2)
    row = tiles.blended(grid)[0, 0, :, 0]
    np.testing.assert_allclose(row, [1] * 6 + [0.75, 0.25] + [0] * 6, atol=1e-6)


def chains(margin):
    """Returns chains of 12 x 12 whose border of so many pixels is marked by 1."""
    found = Chains(4, (12, 12, 1))
    inside = np.zeros((4, 12, 12, 1), np.float32)
    inside[:, :margin], inside[:, 12 - margin :] = 1, 1
    inside[:, :, :margin], inside[:, :, 12 - margin :] = 1, 1
    found.state.assign(inside)
    return found


@pytest.mark.parametrize("size", [(30, 30), (12, 25), (13, 5)])
def test_no_margin_of_a_chain_comes_to_lie_inside_of_a_larger_image(size):
    of = chains(margin=2)
    found = of.tiled((3, *size, 1), SEED, margin=2)
    assert found.shape == (3, *size, 1)
    np.testing.assert_array_equal(found, tf.zeros_like(found))
    uncut = of.tiled((3, *size, 1), SEED)
    assert tf.reduce_max(uncut) > 0  # this test can fail


@pytest.mark.parametrize("size", [(12, 12), (7, 11)])
def test_images_that_are_no_larger_are_single_chains(size):
    """Their own border is the sample's, and is cut from that."""
    of = Chains(4, (12, 12, 1))
    of.state.assign(random.normal([4, 12, 12, 1], SEED))
    found = of.tiled((3, *size, 1), SEED, margin=2).numpy()
    known = {image[: size[0], : size[1]].tobytes() for image in of.state.numpy()}
    assert {image.tobytes() for image in found} <= known
    np.testing.assert_array_equal(found, of.tiled((3, *map(tf.constant, size), 1), SEED, margin=2))


def test_tiles_are_chains_of_the_images_own_class():
    """Chain i, of class i % 2, is all i: a mixture of chains 1 and 3 is of class 1."""
    of = Chains(4, (8, 8, 1))
    of.state.assign(np.float32(np.arange(4))[:, None, None, None] * np.ones((8, 8, 1)))
    found = of.tiled((2, 20, 20, 1), SEED, 2, tf.constant([0, 1])).numpy()
    assert found[0].max() <= 2
    assert found[1].min() >= 1
    assert found[0].min() < found[1].max()


def test_neighbours_across_seams_differ_no_more_than_others():
    """Smooth chains of unlike brightness: side by side their borders would be steps of up to 1."""
    of = Chains(8, (16, 16, 1))
    of.state.assign(
        np.linspace(-1, 1, 8, dtype=np.float32)[:, None, None, None] * np.ones((16, 16, 1))
    )
    found = of.tiled((1, 64, 64, 1), SEED).numpy()[0, :, :, 0]
    steps = np.abs(np.diff(found, axis=1))
    assert np.ptp(found) > 1
    assert steps.max() <= np.ptp(found) / 4 + 1e-6


@pytest.mark.parametrize("number", [1, 2])
def test_fewer_chains_than_classes_are_refused(number):
    net = generative_convnet_digits.energy((8, 8, 1), width=0.1, outputs=3)
    given = {"image_shape": (8, 8, 1), "image_mean": [0.0], "chains": number}
    with pytest.raises(
        UserError, match=f"chains: expected at least 3, one a class; found {number}"
    ):
        GenerativeConvNet(net, **given)
