"""The papers' tables: shapes, numbers of weights, growth, and what is refused."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.families import (
    generative_convnet_digits,
    generative_convnet_object,
    generative_convnet_texture,
    prototype,
    toy,
)

SMALLEST = {
    generative_convnet_texture: (30, 30, 3),
    generative_convnet_object: (16, 16, 3),
    generative_convnet_digits: (8, 8, 1),
    prototype: (6, 6, 1),
    toy: (1, 1, 2),
}
every_family = pytest.mark.parametrize(
    ("family", "shape"), SMALLEST.items(), ids=[f.__name__.rpartition(".")[2] for f in SMALLEST]
)


def kernels(net):
    """The shapes of the convolutions' kernels, from the bottom up."""
    return [tuple(conv.kernel.shape) for conv in net.convs]


def map_sides(net, side):
    """Heights of the maps over an image of a side."""
    shape, sides = (None, side, side, 3), []
    for conv in net.convs:
        shape = conv.compute_output_shape(shape)
        sides.append(shape[1])
    return sides


def test_the_texture_net_is_the_papers_table():
    """100 15x15 filters at stride 3, 64 5x5, 30 3x3; padding 2 makes 72, 72, 74 of 224 pixels."""
    net = generative_convnet_texture.energy((224, 224, 3))
    assert kernels(net) == [(15, 15, 3, 100), (5, 5, 100, 64), (3, 3, 64, 30)]
    assert [conv.strides for conv in net.convs] == [3, 1, 1]
    assert map_sides(net, 224) == [72, 72, 74]
    assert (
        net.count_params() == 15 * 15 * 3 * 100 + 100 + 5 * 5 * 100 * 64 + 64 + 3 * 3 * 64 * 30 + 30
    )
    assert net.tops == []


def test_the_texture_nets_weights_do_not_depend_on_the_image_size():
    nets = [generative_convnet_texture.energy((side, side, 3), width=0.1) for side in (32, 64)]
    assert [w.shape for w in nets[0].weights] == [w.shape for w in nets[1].weights]


def test_the_texture_nets_score_is_the_sum_of_its_maps():
    net = generative_convnet_texture.energy((40, 40, 3), width=0.1)
    h = x = random.normal([2, 40, 40, 3], random.root(0))
    for conv in net.convs:
        h = tf.nn.relu(conv(h))
    np.testing.assert_allclose(net(x), -np.sum(h.numpy(), axis=(1, 2, 3)), rtol=1e-5)


def test_the_object_net_is_the_papers_table():
    """100 7x7 filters every 2 pixels, 64 5x5, 20 3x3, then one over the whole image."""
    net = generative_convnet_object.energy((64, 64, 3))
    assert kernels(net) == [(7, 7, 3, 100), (5, 5, 100, 64), (3, 3, 64, 20)]
    assert [conv.strides for conv in net.convs] == [2, 1, 1]
    assert map_sides(net, 64) == [32, 32, 32]
    assert tuple(net.top.kernel.shape) == (32, 32, 20, 1)


def test_each_depth_of_the_object_net_has_a_top_over_the_whole_of_its_maps():
    net = generative_convnet_object.energy((64, 64, 3))
    tops = []
    for net.depth in (1, 2, 3):
        tops.append(tuple(net.top.kernel.shape))
        assert len(net.layers_in_use) == net.depth
    assert tops == [(32, 32, 100, 1), (32, 32, 64, 1), (32, 32, 20, 1)]


def test_the_prototype_nets_filters_are_as_large_as_the_patch():
    net = prototype.energy((10, 10, 1), filters=7)
    assert kernels(net) == [(10, 10, 1, 7)]
    x = random.normal([4, 10, 10, 1], random.root(0))
    w, b = net.convs[0].kernel.numpy().reshape(100, 7), net.convs[0].bias.numpy()
    expected = -np.maximum(x.numpy().reshape(4, 100) @ w + b, 0).sum(axis=1)
    np.testing.assert_allclose(net(x), expected, rtol=1e-5, atol=1e-6)


@every_family
def test_width_is_a_factor_on_the_numbers_of_filters(family, shape):
    whole, half = (family.energy(shape, width=width) for width in (1.0, 0.5))
    assert [round(conv.filters / 2) for conv in whole.convs] == [
        conv.filters for conv in half.convs
    ]


@every_family
@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_the_activation_is_the_one_named(family, shape, activation):
    """Layer by layer, with Keras's own activation."""
    import keras

    net = family.energy(shape, width=0.25, activation=activation)
    h = x = random.normal([2, *shape], random.root(0))
    for conv in net.convs:
        h = keras.activations.get(activation)(conv(h))
    f = tf.reduce_sum(h, axis=[1, 2, 3]) if net.top is None else net.top(h)[:, 0, 0, 0]
    np.testing.assert_allclose(net(x), -f, rtol=1e-4, atol=1e-6)


@every_family
def test_an_unknown_activation_is_refused(family, shape):
    with pytest.raises(UserError, match="expected one of relu, swish, leaky_relu and found tanh"):
        family.energy(shape, activation="tanh")


@pytest.mark.parametrize(
    ("family", "shape"),
    [(generative_convnet_texture, (10, 40, 3)), (generative_convnet_digits, (1, 1, 1))],
    ids=["texture", "digits"],
)
def test_images_too_small_for_the_filters_are_refused(family, shape):
    with pytest.raises(UserError, match=f"large enough.*found {shape[0]}x{shape[1]}"):
        family.energy(shape)


@pytest.mark.parametrize("family", [generative_convnet_object, generative_convnet_digits, toy])
def test_several_outputs_are_an_energy_each(family):
    shape = SMALLEST[family]
    net = family.energy(shape, width=0.25, outputs=4)
    assert net(random.normal([3, *shape], random.root(0))).shape == (3, 4)


@every_family
def test_the_depth_leaves_upper_layers_out(family, shape):
    net = family.energy(shape, width=0.25)
    x = random.normal([2, *shape], random.root(0))
    whole = net(x).numpy()
    for depth in range(1, len(net.convs)):
        net.depth, h = depth, x
        for conv in net.convs[:depth]:
            h = {"relu": tf.nn.relu, "swish": tf.nn.swish}[net.activation](conv(h))
        f = tf.reduce_sum(h, axis=[1, 2, 3]) if net.top is None else net.top(h)[:, 0, 0, 0]
        np.testing.assert_allclose(net(x), -f, rtol=1e-4, atol=1e-6)
    net.depth = len(net.convs)
    np.testing.assert_array_equal(net(x), whole)


def test_the_map_area_is_that_of_the_layer_a_variable_belongs_to():
    net = generative_convnet_object.energy((16, 24, 3), width=0.1)
    for conv in net.convs:
        assert net.map_area(conv.kernel, (16, 24, 3)) == 8 * 12
        assert net.map_area(conv.bias, (16, 24, 3)) == 8 * 12
    assert net.map_area(net.top.kernel, (16, 24, 3)) == 1


def test_only_nets_that_sum_their_maps_take_images_of_any_size():
    assert generative_convnet_texture.energy((30, 30, 1), width=0.1).any_size
    assert not generative_convnet_object.energy((16, 16, 1), width=0.1).any_size
