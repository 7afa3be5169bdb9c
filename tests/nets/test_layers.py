"""Conv: space-to-depth changes nothing but the speed, and the transpose is the adjoint.

Weights and images are small integers, so float32 sums are exact and equality is exact too.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.layers import Conv

CASES = {
    "kernel": st.tuples(st.integers(1, 7), st.integers(1, 7)),
    "strides": st.integers(1, 4),
    "padding": st.integers(0, 3),
    "size": st.tuples(st.integers(1, 17), st.integers(1, 17)),
    "channels": st.integers(1, 3),
}


def integers(*shape, seed=0):
    """float32 whole numbers in [-3, 3]."""
    return tf.constant(np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float32))


def build(kernel, strides, padding, size, channels, filters=2, **options):
    """A layer with integer weights, and an image for it."""
    conv = Conv(filters, kernel, strides, padding, **options)
    x = integers(2, *size, channels, seed=1)
    conv.build(x.shape)
    conv.kernel.assign(integers(*kernel, channels, filters, seed=2))
    if conv.use_bias:
        conv.bias.assign(integers(filters, seed=3))
    return conv, x


def assume_it_fits(kernel, padding, size):
    """Drops cases of kernels larger than the padded image."""
    assume(all(n + 2 * padding >= k for n, k in zip(size, kernel, strict=True)))


def way_of(conv, shape, dtype=tf.float32):
    """How a layer runs on images of a shape."""
    sizes = implementations.Convolution(
        shape, conv.kernel_size, conv.strides, conv.padding, conv.filters
    )
    return implementations.chosen(conv.convolution, sizes, dtype)


def by_definition(conv, x):
    """y[i, j] = <window at (s i, s j), kernel> + bias, in float64 loops."""
    p, s = conv.padding, conv.strides
    kernel, bias = np.float64(conv.kernel.numpy()), np.float64(conv.bias.numpy())
    x = np.pad(np.float64(x), [(0, 0), (p, p), (p, p), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))[
        :, ::s, ::s
    ]
    return np.einsum("bijcuv,uvcf->bijf", windows, kernel) + bias


@settings(max_examples=60, deadline=None, derandomize=True)
@given(**CASES)
def test_the_layer_is_the_convolution_of_the_textbook(kernel, strides, padding, size, channels):
    assume_it_fits(kernel, padding, size)
    conv, x = build(kernel, strides, padding, size, channels)
    y = conv(x)
    np.testing.assert_array_equal(y, by_definition(conv, x))
    assert conv.compute_output_shape(x.shape) == tuple(y.shape)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(**CASES)
def test_space_to_depth_has_the_direct_convolutions_values_and_gradients(
    kernel, strides, padding, size, channels
):
    assume_it_fits(kernel, padding, size)
    direct, x = build(kernel, strides, padding, size, channels, convolution="direct")
    folded, _ = build(kernel, strides, padding, size, channels, convolution="space_to_depth")
    one_place = not padding and size == kernel
    way = "product" if one_place else "space_to_depth" if 1 < strides < max(kernel) else "direct"
    assert way_of(folded, x.shape) == way
    results = []
    for conv in (direct, folded):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = conv(x)
            loss = tf.reduce_sum(y * integers(*y.shape, seed=4))
        results.append([y, *tape.gradient(loss, [x, conv.kernel.value, conv.bias.value])])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("strides", [2, 3])
def test_space_to_depth_takes_sides_that_are_unknown_until_it_runs(strides):
    direct, x = build((5, 4), strides, 2, (13, 11), 3, convolution="direct")
    folded, _ = build((5, 4), strides, 2, (13, 11), 3, convolution="space_to_depth")
    traced = tf.function(
        folded, autograph=False, input_signature=[tf.TensorSpec((None, None, None, 3))]
    )
    for size in ((13, 11), (5, 5), (8, 20)):
        x = integers(2, *size, 3)
        np.testing.assert_array_equal(traced(x), direct(x))
    assert traced.experimental_get_tracing_count() == 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(**CASES)
def test_the_transpose_is_the_adjoint(kernel, strides, padding, size, channels):
    """<A x, y> = <x, A' y> for the linear part A."""
    assume_it_fits(kernel, padding, size)
    conv, x = build(kernel, strides, padding, size, channels, use_bias=False)
    ax = conv(x)
    y = integers(*ax.shape, seed=5)
    aty = conv.transpose(y, tf.shape(x))
    assert aty.shape == x.shape
    assert np.sum(np.float64(ax) * np.float64(y)) == np.sum(np.float64(x) * np.float64(aty))


def test_the_transpose_leaves_the_bias_out():
    conv, x = build((3, 3), 1, 1, (5, 5), 1)
    y = conv.transpose(tf.zeros([2, 5, 5, 2]), tf.shape(x))
    np.testing.assert_array_equal(y, tf.zeros_like(x))


def test_the_kernel_on_disk_is_the_same_either_way():
    for convolution in implementations.NAMES:
        conv, _ = build((5, 5), 2, 0, (9, 9), 3, filters=4, convolution=convolution)
        assert [tuple(w.shape) for w in conv.weights] == [(5, 5, 3, 4), (4,)]


def test_kernels_start_normal_with_the_given_scale_and_biases_at_zero():
    """30,000 weights: s within 5 / √(2n) of itself; fails with a probability of 6e-7."""
    conv = Conv(100, 10, initializer_scale=0.5)
    conv.build((None, 10, 10, 3))
    assert abs(np.std(conv.kernel.numpy()) / 0.5 - 1) < 5 / np.sqrt(2 * 30_000)
    np.testing.assert_array_equal(conv.bias, np.zeros(100))


@pytest.mark.parametrize(
    ("row", "shape", "way"),
    [
        ((256, 5, 2, 2), (100, 8, 8, 128), "toom_cook"),
        ((64, 5, 1, 2), (2, 72, 72, 100), "toom_cook"),
        ((256, 5, 2, 2), (1, 8, 8, 128), "space_to_depth"),  # no matrix product to speak of
        ((256, 5, 2, 2), (None, 8, 8, 128), "toom_cook"),
        (
            (256, 5, 2, 2),
            (100, None, None, 128),
            "space_to_depth",
        ),  # transforms are made for a size
        ((64, 5, 2, 2), (100, 32, 32, 3), "direct"),  # three channels are soon multiplied
        ((32, 5, 2, 2), (64, 32, 32, 16), "direct"),  # and of few channels a padded kernel
        ((128, 4, 2, 1), (100, 32, 32, 64), "toom_cook"),
        ((100, 15, 3, 2), (16, 224, 224, 3), "space_to_depth"),
        ((9, (8, 8)), (100, 8, 8, 128), "product"),
    ],
)
def test_the_way_is_chosen_by_shape_as_was_measured(row, shape, way):
    """See benchmarks/results.md, part convolutions."""
    assert way_of(Conv(*row), shape) == way


def test_layers_run_as_the_default_was_when_they_were_made():
    with implementations.defaulting_to("direct"):
        made = Conv(256, 5, 2, 2)
    shape = tf.TensorShape((100, 8, 8, 128))
    assert way_of(made, shape) == "direct"
    assert way_of(Conv(256, 5, 2, 2), shape) == "toom_cook"
    assert way_of(Conv(256, 5, 2, 2), shape, tf.bfloat16) == "space_to_depth"
