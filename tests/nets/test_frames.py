"""Spatio-temporal layers against TensorFlow's own three-dimensional convolution."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.nets.convolution import frames
from tfgen.nets.convolution.frames import Taps
from tfgen.nets.convolution.layers import Conv, ConvTranspose
from tfgen.portability import portable

GEOMETRIES = [
    # kernel, strides, padding, taps in time
    (4, 2, 1, Taps(4, 2, 1)),
    (3, 1, 1, Taps(3, 1, 1)),
    (5, 2, 2, Taps(3, 2, 1)),
    (8, 1, 0, Taps(4, 2, 1)),
    (3, 1, 0, Taps(1, 1, 0)),
    (2, 2, 0, Taps(6, 3, 2)),
]


def clips(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def volume_kernel(layer, channels):
    """The layer's kernel as [t, h, w, in, filters]."""
    kernel = tf.convert_to_tensor(layer.kernel)
    rows, columns, _, last = kernel.shape
    kernel = tf.reshape(kernel, [rows, columns, layer.time.size, channels, last])
    return tf.transpose(kernel, [2, 0, 1, 3, 4])


def expected(x, layer):
    time, p = layer.time, layer.padding
    around = [[0, 0], [time.padding] * 2, [p, p], [p, p], [0, 0]]
    strides = [1, time.strides, layer.strides, layer.strides, 1]
    return tf.nn.conv3d(tf.pad(x, around), volume_kernel(layer, x.shape[-1]), strides, "VALID")


@pytest.mark.parametrize("kernel, strides, padding, time", GEOMETRIES)
@pytest.mark.parametrize("convolution", ["direct", "auto"])
def test_convolution_of_clips_is_tensorflows(kernel, strides, padding, time, convolution):
    x = clips(2, 9, 8, 8, 3)
    options = {"initializer_scale": 0.5, "convolution": convolution}
    layer = Conv(5, kernel, strides, padding, time, use_bias=False, **options)
    found = layer(x)
    np.testing.assert_allclose(found, expected(x, layer), atol=2e-4)
    assert found.shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize("kernel, strides, padding, time", GEOMETRIES)
def test_gradients_are_tensorflows(kernel, strides, padding, time):
    x = tf.constant(clips(2, 9, 8, 8, 2))
    layer = Conv(3, kernel, strides, padding, time, use_bias=False, initializer_scale=0.5)
    layer.build(x.shape)

    def gradients(convolve):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(convolve(x)))
        return tape.gradient(loss, [x, layer.kernel.value])

    ours, theirs = gradients(layer), gradients(lambda x: expected(x, layer))
    for found, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize("kernel, strides, padding, time", GEOMETRIES)
def test_transpose_is_the_adjoint(kernel, strides, padding, time):
    # <y, K x> = <K' y, x> for all x and y
    x = tf.constant(clips(2, 9, 8, 8, 3))
    layer = Conv(5, kernel, strides, padding, time, use_bias=False, initializer_scale=0.5)
    y = layer(x)
    other = clips(*y.shape)
    back = layer.transpose(tf.constant(other), tf.shape(x))
    assert back.shape == x.shape
    left, right = tf.reduce_sum(y * other), tf.reduce_sum(x * back)
    np.testing.assert_allclose(left, right, rtol=1e-4)


@pytest.mark.parametrize("mode", ["tensorflow", "portable"])
def test_transposed_layer_is_the_adjoint_of_a_convolution(mode):
    z = clips(2, 3, 4, 4, 6)
    layer = ConvTranspose(5, 4, 2, 1, (4, 2, 1), use_bias=False, initializer_scale=0.5)
    layer.build(z.shape)
    x = tf.constant(clips(*layer.compute_output_shape(z.shape)))
    assert x.shape == (2, 6, 8, 8, 5)
    # the kernel of the one is that of the other, with input and output exchanged
    forward = Conv(6, 4, 2, 1, (4, 2, 1), use_bias=False)
    forward.build(x.shape)
    forward.kernel.assign(layer.kernel)
    if mode == "portable":
        with portable():
            made = layer(tf.constant(z))
    else:
        made = layer(tf.constant(z))
    left, right = tf.reduce_sum(forward(x) * z), tf.reduce_sum(x * made)
    np.testing.assert_allclose(left, right, rtol=1e-4)


def test_longer_clips_of_unknown_length_are_convolved():
    layer = Conv(4, 4, 2, 1, (4, 2, 1), initializer_scale=0.5)
    up = ConvTranspose(3, 4, 2, 1, (4, 2, 1), initializer_scale=0.5)
    layer.build((None, 8, 8, 8, 3))
    up.build((None, 4, 4, 4, 4))
    traced = tf.function(
        lambda x: up(layer(x)), input_signature=[tf.TensorSpec((None, None, 8, 8, 3))]
    )
    assert traced.get_concrete_function().output_shapes.as_list() == [None, None, 8, 8, 3]
    x = clips(1, 12, 8, 8, 3)
    assert traced(x).shape == x.shape
    np.testing.assert_allclose(traced(x), up(layer(x)), rtol=1e-4, atol=1e-4)


def test_windows_and_their_adjoint_on_numbers():
    taps = Taps(3, 2, 1)
    x = tf.reshape(tf.range(1.0, 6), [1, 5, 1, 1, 1])
    seen = frames.windows(x, taps)
    assert seen.numpy().reshape(3, 3).tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 0]]
    back = frames.overlapped(tf.ones_like(seen), taps, 5)
    assert back.numpy().ravel().tolist() == [1, 2, 1, 2, 1]


def test_config_round_trip():
    layer = Conv(4, 3, time=(3, 1, 1))
    assert Conv.from_config(layer.get_config()).time == Taps(3, 1, 1)
    before = {k: v for k, v in Conv(4, 3).get_config().items() if k != "time"}
    assert Conv.from_config(before).time is None  # of nets saved before clips
