"""The residual energy: its table, its blocks by Keras's layers, its slopes, sizes of images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import net_registry

from tfgen import energies, random
from tfgen.errors import UserError
from tfgen.nets.architectures.residual import Block, ResidualEnergy
from tfgen.nets.families import residual32


def small(**options):
    """Returns a net of two blocks with biases that matter, and images."""
    keras.utils.set_random_seed(0)
    net = ResidualEnergy([Block(4, 2), Block(6)], (8, 6, 2), **options)
    for number, variable in enumerate(net.variables):
        if variable.name == "bias":
            variable.assign(0.3 * random.normal(variable.shape, random.root(number)))
    return net, random.normal([3, 8, 6, 2], random.root(1))


def convolved(layer, x):
    """Returns a layer's convolution by TensorFlow's own op."""
    p = layer.padding
    x = tf.pad(x, [[0, 0], [p, p], [p, p], [0, 0]])
    y = tf.nn.conv2d(x, layer.kernel.value, layer.strides, "VALID")
    return y + layer.bias.value if layer.use_bias else y


def test_the_net_is_the_table():
    net = residual32.energy((32, 32, 3))
    shapes = [shape[1:] for shape in net.map_shapes((None, 32, 32, 3))]
    assert shapes == [
        (32, 32, 3),
        (32, 32, 64),
        (16, 16, 64),
        (8, 8, 128),
        (4, 4, 256),
        (4, 4, 256),
    ]
    blocks = [
        [(layer.kernel_size[0], layer.strides, layer.padding) for layer in (b.lower, b.upper)]
        for b in net.blocks
    ]
    assert blocks == [[(3, 1, 1), (4, 2, 1)]] * 3 + [[(3, 1, 1), (3, 1, 1)]]
    assert [b.skip and b.skip.kernel_size for b in net.blocks] == [(2, 2)] * 3 + [None]
    assert tuple(net.top.kernel.shape) == (1, 1, 256, 1)


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_energy_is_what_keras_activations_and_plain_convolutions_make(outputs):
    net, x = small(outputs=outputs)
    silu = keras.activations.silu
    h = convolved(net.stem, x)
    for block in net.blocks:
        r = convolved(block.upper, silu(convolved(block.lower, silu(h))))
        h = r + (h if block.skip is None else convolved(block.skip, h))
    expected = tf.einsum("bijc,cf->bf", silu(h), net.top.kernel[0, 0])
    expected = expected if outputs > 1 else expected[:, 0]
    np.testing.assert_allclose(net(x), expected, rtol=1e-4, atol=1e-5)


def test_slopes_agree_with_finite_differences():
    """Central differences with h = 0.01 err by h² and by float32's rounding over h: to 1 %."""
    net, x = small()
    _, slope = energies.value_and_grad(energies.frozen(net), x)
    norm = tf.sqrt(tf.reduce_sum(slope**2, axis=[1, 2, 3], keepdims=True))
    step = 0.01 * slope / norm
    difference = (net(x + step) - net(x - step)) / 0.02
    np.testing.assert_allclose(difference, tf.reshape(norm, [-1]), rtol=0.01)


def test_width_is_a_factor_on_all_filters():
    whole, half = (residual32.energy((8, 8, 1), width=width) for width in (0.5, 0.25))
    assert (whole.stem.filters, half.stem.filters) == (32, 16)
    for wide, narrow in zip(whole.blocks, half.blocks, strict=True):
        assert wide.lower.filters == wide.upper.filters == 2 * narrow.upper.filters


def test_images_of_any_size_have_an_energy_if_each_halving_leaves_a_pixel():
    net = residual32.energy((32, 32, 3), width=0.1)
    assert net.any_size
    net.check_size(8, 40)
    assert net(tf.zeros([2, 9, 40, 3])).shape == (2,)
    with pytest.raises(UserError, match=r"image_size: expected images large enough .*found 7x40"):
        net.check_size(7, 40)
    with pytest.raises(UserError, match=r"image_size: expected images large enough .*found 4x4"):
        residual32.energy((4, 4, 3), width=0.1)


def test_a_width_that_leaves_a_layer_empty_is_refused():
    with pytest.raises(UserError, match="at least one filter in every layer and found 0"):
        residual32.energy((8, 8, 1), width=0.001)


def test_the_map_area_is_that_of_the_block_a_variable_belongs_to():
    net, _ = small()
    assert net.map_area(net.stem.kernel, (8, 6, 2)) == 8 * 6
    for block in net.blocks:
        assert net.map_area(block.upper.bias, (8, 6, 2)) == 4 * 3
    assert net.map_area(net.top.kernel, (8, 6, 2)) == 1


def test_it_cannot_grow():
    net, _ = net_registry.net("residual32")
    assert (net.depth, net.max_depth) == (1, 1)
