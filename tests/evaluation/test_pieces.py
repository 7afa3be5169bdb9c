"""The plane of the prototype model: pieces counted, densities exact, samples near them."""

import keras
import numpy as np
import pytest

from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data import examples
from tfgen.errors import UserError
from tfgen.evaluation import pieces
from tfgen.nets.families import generative_convnet_digits, prototype

SHAPE = (1, 1, 2)


def model(kernel, bias, sigma=0.5):
    """A prototype model of these filters, [2, K], and biases, [K]."""
    net = prototype.energy(SHAPE, filters=len(bias))
    net.convs[0].kernel.assign(np.reshape(kernel, (1, 1, 2, -1)))
    net.convs[0].bias.assign(bias)
    return GenerativeConvNet(net, image_shape=SHAPE, image_mean=[0.0, 0.0], sigma=sigma).model


THREE_LINES = ([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], [0.3, 0.4, -0.5])


def test_three_lines_in_general_position_make_seven_pieces():
    assert len(pieces.plane(model(*THREE_LINES), extent=2.0, cells=200).mean) == 7


def test_three_parallel_lines_make_four_pieces():
    lines = model([[1.0] * 3, [1.0] * 3], [0.3, 0.0, -0.5])
    assert len(pieces.plane(lines, extent=2.0, cells=200).mean) == 4


def test_three_lines_through_a_point_make_six_pieces():
    assert len(pieces.plane(model(THREE_LINES[0], [0.0] * 3), extent=2.0, cells=200).mean) == 6


def test_the_mean_of_a_piece_is_the_sum_of_the_filters_that_are_on():
    """In pixels: sigma times it."""
    found = pieces.plane(model(*THREE_LINES), extent=2.0, cells=200)
    kernel, bias = np.array(THREE_LINES[0]), np.array(THREE_LINES[1])
    for row, column in ((10, 20), (150, 160), (100, 30), (30, 190)):
        y = np.array([found.axis[column], found.axis[row]]) / 0.5
        expected = 0.5 * kernel @ (y @ kernel + bias > 0)
        np.testing.assert_allclose(found.mean[found.piece[row, column]], expected, atol=1e-6)


def test_the_density_on_the_grid_is_the_tilted_gaussian():
    found = pieces.plane(model(*THREE_LINES), extent=3.0, cells=100)
    y = np.stack(np.meshgrid(found.axis, found.axis), axis=-1) / 0.5
    score = np.maximum(y @ np.array(THREE_LINES[0]) + THREE_LINES[1], 0).sum(axis=-1)
    density = np.exp(score - (y**2).sum(axis=-1) / 2)
    np.testing.assert_allclose(found.density, density / density.sum(), rtol=1e-3, atol=1e-8)
    assert found.density.sum() == pytest.approx(1)


def test_histograms_have_the_second_coordinate_as_rows():
    axis = np.array([-0.5, 0.5])
    np.testing.assert_array_equal(
        pieces.histogram(np.array([[0.9, -0.9]] * 3 + [[0.1, 0.1]]), axis), [[0, 0.75], [0, 0.25]]
    )


def test_coarse_grids_keep_the_sum():
    grid = np.arange(36.0).reshape(6, 6)
    np.testing.assert_array_equal(
        pieces.coarse(grid, 2),
        [[grid[:3, :3].sum(), grid[:3, 3:].sum()], [grid[3:, :3].sum(), grid[3:, 3:].sum()]],
    )


def test_the_sampled_density_is_within_two_hundredths_of_the_exact_one():
    """Ten random filters.

    n independent draws in K cells are off by about √(K / 2πn) < 0.01: K < 400 hold nearly all mass,
    and n is 1.2 million, less their correlation of some 4 steps.
    """
    keras.utils.set_random_seed(0)
    net = prototype.energy(SHAPE, filters=10, initializer_scale=0.7)
    algorithm = GenerativeConvNet(net, image_shape=SHAPE, image_mean=[0.1, -0.1], sigma=0.3)
    data = examples.load("toy/mixture")
    found = dict(pieces.Pieces(algorithm.model, data, chains=3000, num_steps=400).run())
    assert 10 < found["pieces"] <= 1 + 10 + 45
    assert found["total_variation"] < 0.02


def test_other_images_than_points_of_the_plane_are_refused():
    net = generative_convnet_digits.energy((8, 8, 1), width=0.1)
    algorithm = GenerativeConvNet(net, image_shape=(8, 8, 1), image_mean=[0.0])
    with pytest.raises(UserError, match="1x1 with 2 channels"):
        pieces.plane(algorithm.model, extent=1.0, cells=10)


def test_the_temperature_and_the_box_are_the_densitys():
    """exp(-U / T), zero outside of [-1, 1]: the grid's, and the samples'."""
    net = prototype.energy(SHAPE, filters=3)
    net.convs[0].kernel.assign(np.reshape(THREE_LINES[0], (1, 1, 2, -1)))
    net.convs[0].bias.assign(THREE_LINES[1])
    options = {"sigma": 0.5, "temperature": 0.5, "clamp": True}
    found = GenerativeConvNet(net, image_shape=SHAPE, image_mean=[0.0, 0.0], **options).model
    exact = pieces.plane(found, extent=2.0, cells=100)
    y = np.stack(np.meshgrid(exact.axis, exact.axis), axis=-1)
    score = np.maximum(y / 0.5 @ np.array(THREE_LINES[0]) + THREE_LINES[1], 0).sum(axis=-1)
    u = ((y / 0.5) ** 2).sum(axis=-1) / 2 - score
    density = np.where((np.abs(y) <= 1).all(axis=-1), np.exp(-u / 0.5), 0)
    np.testing.assert_allclose(exact.density, density / density.sum(), rtol=1e-3, atol=1e-8)
    draws = pieces.sample(found, chains=2000, num_steps=200, step_size=0.2, seed=0)
    assert np.abs(draws).max() <= 1
    shares = pieces.coarse(pieces.histogram(draws, exact.axis), 20)
    assert np.abs(shares - pieces.coarse(exact.density, 20)).sum() / 2 < 0.02
