"""ConvTranspose is the adjoint of Conv with the same kernel.

Weights and images are small whole numbers, so float32 sums are exact and equality is exact too.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tfgen.errors import UserError
from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.layers import Conv, ConvTranspose

CASES = {
    "kernel": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "strides": st.integers(1, 3),
    "padding": st.integers(0, 2),
    "size": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "channels": st.integers(1, 3),
    "filters": st.integers(1, 3),
}


def integers(*shape, seed=0):
    """float32 whole numbers in [-3, 3]."""
    return tf.constant(np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float32))


def assume_it_fits(kernel, strides, padding, size):
    """Drops cases whose images would have no pixels."""
    assume(all((n - 1) * strides + k - 2 * padding >= 1 for n, k in zip(size, kernel, strict=True)))


def build(kernel, strides, padding, size, channels, filters, use_bias=False):
    """A layer with whole weights, and maps for it."""
    layer = ConvTranspose(filters, kernel, strides, padding, use_bias=use_bias)
    y = integers(2, *size, channels, seed=1)
    layer.build(y.shape)
    layer.kernel.assign(integers(*kernel, filters, channels, seed=2))
    if use_bias:
        layer.bias.assign(integers(filters, seed=3))
    return layer, y


@settings(max_examples=40, deadline=None, derandomize=True)
@given(**CASES)
def test_it_is_the_adjoint_of_the_convolution_with_the_same_kernel(
    kernel, strides, padding, size, channels, filters
):
    """<A x, y> = <x, A' y>: A is from images of `filters` channels to maps of `channels`."""
    assume_it_fits(kernel, strides, padding, size)
    layer, y = build(kernel, strides, padding, size, channels, filters)
    aty = layer(y)
    x = integers(*aty.shape, seed=4)
    conv = Conv(channels, kernel, strides, padding, use_bias=False)
    conv.build(x.shape)
    conv.kernel.assign(layer.kernel.value)
    ax = conv(x)
    assert ax.shape == y.shape
    assert np.sum(np.float64(ax) * np.float64(y)) == np.sum(np.float64(x) * np.float64(aty))
    np.testing.assert_array_equal(conv.transpose(y, tf.shape(x)), aty)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(**CASES)
def test_it_is_the_same_where_transposed_convolutions_are_slow(
    kernel, strides, padding, size, channels, filters
):
    """In LiteRT files, which have its images' sides or learn them when they run."""
    assume_it_fits(kernel, strides, padding, size)
    layer, y = build(kernel, strides, padding, size, channels, filters)
    traced = tf.function(
        layer, autograph=False, input_signature=[tf.TensorSpec((None, None, None, channels))]
    )
    with implementations.portable():
        found = [layer(y), traced(y)]
    operations = {op.type for op in traced.get_concrete_function().graph.get_operations()}
    assert "Conv2DBackpropInput" not in operations
    for images in found:
        np.testing.assert_array_equal(images, layer(y))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(**CASES)
def test_each_place_of_a_map_adds_its_kernel_to_the_image(
    kernel, strides, padding, size, channels, filters
):
    """The definition, in float64 loops, and the shape that is foretold."""
    assume_it_fits(kernel, strides, padding, size)
    layer, y = build(kernel, strides, padding, size, channels, filters, use_bias=True)
    whole = np.zeros(
        (2, *((n - 1) * strides + k for n, k in zip(size, kernel, strict=True)), filters)
    )
    for i in range(size[0]):
        for j in range(size[1]):
            patch = np.einsum("bc,uvfc->buvf", np.float64(y[:, i, j]), np.float64(layer.kernel))
            whole[
                :, i * strides : i * strides + kernel[0], j * strides : j * strides + kernel[1]
            ] += patch
    cut = whole[:, padding : whole.shape[1] - padding, padding : whole.shape[2] - padding]
    np.testing.assert_array_equal(layer(y), cut + np.float64(layer.bias))
    assert layer.compute_output_shape(y.shape) == cut.shape


@settings(max_examples=25, deadline=None, derandomize=True)
@given(**CASES)
def test_fewer_multiplications_give_the_same_values_and_gradients(
    kernel, strides, padding, size, channels, filters
):
    """To 2e-5 of the largest, as in the convolution; kernels within a stride have no products."""
    assume_it_fits(kernel, strides, padding, size)
    direct, y = build(kernel, strides, padding, size, channels, filters, use_bias=True)
    other = ConvTranspose(filters, kernel, strides, padding, convolution="toom_cook")
    other.build(y.shape)
    found = []
    for layer in (direct, other):
        for weight, value in zip(layer.weights, direct.weights, strict=True):
            weight.assign(value)
        with tf.GradientTape() as tape:
            tape.watch(y)
            x = layer(y)
            loss = tf.reduce_sum(tf.sin(x / 10))
        found.append([x, *tape.gradient(loss, [y, *(w.value for w in layer.weights)])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * max(np.abs(a).max(), 1))


def test_a_map_of_unknown_size_is_taken():
    layer, y = build((4, 4), 2, 1, (3, 5), 2, 3, use_bias=True)
    traced = tf.function(
        layer, autograph=False, input_signature=[tf.TensorSpec((None, None, None, 2))]
    )
    np.testing.assert_array_equal(traced(y), layer(y))
    assert traced(integers(1, 7, 2, 2)).shape == (1, 14, 4, 3)
    assert traced.experimental_get_tracing_count() == 1


def test_static_sizes_stay_static():
    layer, _ = build((4, 4), 2, 1, (3, 5), 2, 3)
    traced = tf.function(layer, autograph=False).get_concrete_function(
        tf.TensorSpec((None, 3, 5, 2))
    )
    assert traced.structured_outputs.shape == (None, 6, 10, 3)


def test_the_weights_are_a_kernel_and_a_bias():
    for use_bias in (True, False):
        layer, _ = build((4, 3), 2, 1, (3, 5), 2, 6, use_bias)
        assert [tuple(w.shape) for w in layer.weights] == [(4, 3, 6, 2)] + [(6,)] * use_bias


def test_kernels_start_normal_with_a_scale_of_a_fiftieth():
    """30,000 weights: s within 5 / √(2n) of itself; fails with a probability of 6e-7."""
    layer = ConvTranspose(100, 10)
    layer.build((None, 1, 1, 3))
    assert abs(np.std(layer.kernel.numpy()) / 0.02 - 1) < 5 / np.sqrt(2 * 30_000)
    np.testing.assert_array_equal(layer.bias, np.zeros(100))


def test_no_filter_at_all_is_refused():
    with pytest.raises(UserError, match="at least one filter in every layer and found 0"):
        ConvTranspose(0, 3)


@pytest.mark.parametrize(
    "layer", [Conv(4, 1), Conv(4, 4, 2, 1), ConvTranspose(4, 1), ConvTranspose(4, 4, 2, 1)]
)
def test_maps_of_other_channels_than_the_kernels_are_refused(layer):
    """TensorFlow would take some of them, and make nonsense."""
    layer.build((None, 4, 4, 2))
    for channels in (1, 3, 4):
        with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 2"):
            layer(tf.zeros([2, 4, 4, channels]))
