"""Spectral and batch normalization of kernels and of batches, in training and after."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.convolution.normalization import (
    DualBatchNormalization,
    batch_normalization,
    normalizations,
)
from tfgen.nets.families import triangle_digits

X = random.normal([4, 8, 8, 3], random.root(0))


def spectral(**options):
    """A normalized layer with a kernel far from normalized."""
    keras.utils.set_random_seed(0)
    conv = Conv(5, 4, 2, 1, spectral_norm=True, initializer_scale=0.7, **options)
    conv.build(X.shape)
    return conv


def singular_values(kernel):
    """Of the kernel as a matrix from patches to filters, by numpy in float64."""
    return np.linalg.svd(np.float64(kernel).reshape(-1, kernel.shape[-1]), compute_uv=False)


def converge(conv, num_steps=200):
    """Training passes, without an update of the weights."""
    for _ in range(num_steps):
        conv.linear(training=True)
    return conv


def test_the_largest_singular_value_becomes_1():
    """The power method's error falls by (s2 / s1)² a step, below float32's rounding after 200."""
    conv = converge(spectral())
    values = singular_values(conv.kernel)
    assert (values[1] / values[0]) ** 400 < 1e-7
    np.testing.assert_allclose(singular_values(conv.linear()), values / values[0], rtol=1e-5)


def test_the_kernel_keeps_its_direction_and_the_weights_their_values():
    conv = spectral()
    before = conv.kernel.numpy()
    linear = conv.linear(training=True).numpy()
    np.testing.assert_array_equal(conv.kernel, before)
    np.testing.assert_allclose(linear, before * (linear.ravel()[0] / before.ravel()[0]), rtol=1e-5)


def test_the_estimate_never_exceeds_the_largest_singular_value():
    """It is u'Wv of unit vectors, so normalized kernels are never shrunk too far."""
    conv = spectral()
    largest = [singular_values(conv.linear(training=True))[0] for _ in range(5)]
    assert min(largest) > 1 - 1e-5
    assert np.all(np.diff(largest) < 1e-5)  # and it only improves


def test_only_training_moves_the_direction():
    conv = spectral()
    start = conv.direction.numpy()
    conv(X, training=False)
    conv.transpose(conv(X), tf.shape(X))
    np.testing.assert_array_equal(conv.direction, start)
    conv(X, training=True)
    moved = conv.direction.numpy()
    assert not np.array_equal(moved, start)
    np.testing.assert_allclose(np.linalg.norm(moved), 1, rtol=1e-6)
    conv(X, training=False)
    np.testing.assert_array_equal(conv.direction, moved)


def test_the_direction_is_saved_and_not_trained():
    conv = spectral()
    assert {w.name for w in conv.trainable_weights} == {"kernel", "bias"}
    assert {w.name for w in conv.weights} == {"kernel", "bias", "direction"}


@pytest.mark.parametrize("convolution", ["direct", "space_to_depth", "toom_cook"])
def test_the_layer_is_the_convolution_with_the_normalized_kernel(convolution):
    conv = converge(spectral(convolution=convolution), 3)
    plain = Conv(5, 4, 2, 1, convolution="direct")
    plain.build(X.shape)
    plain.kernel.assign(conv.linear())
    np.testing.assert_allclose(conv(X), plain(X), rtol=1e-4, atol=1e-5)
    y = random.normal(plain(X).shape, random.root(1))
    np.testing.assert_allclose(
        conv.transpose(y, tf.shape(X)), plain.transpose(y, tf.shape(X)), rtol=1e-4, atol=1e-5
    )


def test_the_gradient_counts_the_kernels_part_in_its_own_norm():
    """Scaling a kernel changes nothing, so the gradient is normal to it: to 1e-5 of the lengths."""
    conv = converge(spectral())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(conv(X, training=True) ** 2)
    gradient = tape.gradient(loss, conv.kernel.value).numpy()
    along = np.sum(gradient * conv.kernel.numpy())
    assert abs(along) < 1e-5 * np.linalg.norm(gradient) * np.linalg.norm(conv.kernel.numpy())
    assert np.linalg.norm(gradient) > 0.1


def test_in_bfloat16_the_estimate_is_still_one_of_float32():
    """Kernels are rounded to 2^-9; TensorFlow's deprecated products of mixed types do not occur."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        conv = spectral()
        traced = tf.function(lambda x: conv(x, training=True), autograph=False)
        for _ in range(100):
            y = traced(X)
    finally:
        keras.config.set_dtype_policy("float32")
    assert (y.dtype, conv.direction.dtype) == (tf.bfloat16, "float32")
    assert abs(singular_values(conv.linear())[0] - 1) < 2**-8
    operations = traced.get_concrete_function(X).graph.get_operations()
    assert "SparseMatMul" not in {operation.type for operation in operations}


# batch normalization


def test_a_training_batch_is_normalized_by_itself_and_running_statistics_follow_by_a_tenth():
    norm = batch_normalization()
    x = 3 * X + tf.constant([1.0, -2.0, 0.5])
    y = norm(x, training=True).numpy()
    mean, variance = x.numpy().mean((0, 1, 2)), x.numpy().var((0, 1, 2))
    expected = (x - mean) / np.sqrt(variance + 1e-5) * norm.gamma.numpy()
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, 0.9 + 0.1 * variance, rtol=1e-4)


def test_at_inference_the_running_statistics_are_used_and_do_not_move():
    norm = batch_normalization()
    norm.build(X.shape)
    norm.moving_mean.assign([1.0, 2.0, 3.0])
    norm.moving_variance.assign([4.0, 0.25, 1.0])
    expected = (X - [1.0, 2.0, 3.0]) / np.sqrt(np.float32([4, 0.25, 1]) + 1e-5) * norm.gamma.numpy()
    np.testing.assert_allclose(norm(X, training=False), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(norm.moving_mean, [1.0, 2.0, 3.0])


def test_gains_start_near_1_and_shifts_at_0():
    """10,000 gains of N(1, 0.02²): their mean and scale to 5 standard errors; fails with 1.2e-6."""
    norm = batch_normalization()
    norm.build((None, 1, 1, 10_000))
    gains = norm.gamma.numpy()
    assert abs(gains.mean() - 1) < 5 * 0.02 / 100
    assert abs(gains.std() / 0.02 - 1) < 5 / np.sqrt(2 * 10_000)
    np.testing.assert_array_equal(norm.beta, np.zeros(10_000))


def nets():
    """Each role's net with batch normalization, and a batch for it."""
    keras.utils.set_random_seed(0)
    shape, x = (8, 8, 1), random.normal([6, 8, 8, 1], random.root(2))
    return {
        "energy": (triangle_digits.energy(shape, width=0.2, batch_norm=True), x),
        "generator": (
            triangle_digits.generator(shape, width=0.2),
            random.normal([6, 16], random.root(3)),
        ),
        "inference": (triangle_digits.inference(shape, width=0.2, batch_norm=True), x),
    }


@pytest.mark.parametrize("role", ["energy", "generator", "inference"])
def test_nets_mix_examples_in_training_alone(role):
    net, x = nets()[role]
    for (
        weight
    ) in net.trainable_variables:  # far from the start, where responses are next to nothing
        weight.assign(5 * weight.value)

    def first_alone(training):
        together, alone = (
            tf.nest.flatten(net(batch, training=training))[0][0] for batch in (x, x[:1])
        )
        return np.abs(together - alone).max() / np.abs(together).max()

    assert first_alone(training=False) < 1e-4
    assert first_alone(training=True) > 0.01


@pytest.mark.parametrize("role", ["energy", "generator", "inference"])
def test_nets_keep_statistics_of_all_layers_that_are_normalized(role):
    net, x = nets()[role]
    before = [np.array(w) for w in net.non_trainable_weights]
    assert len(before) == 2 * len(net.norms) > 0
    net(x, training=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.non_trainable_weights, strict=True))
    net(x, training=True)
    assert not any(
        np.array_equal(a, b) for a, b in zip(before, net.non_trainable_weights, strict=True)
    )


# two sets of running statistics


def test_two_sets_follow_their_own_batches_by_a_tenth():
    norm = DualBatchNormalization()
    norm.build(X.shape)
    drawn, inferred = 3 * X + 1, X - tf.constant([2.0, 0.0, 1.0])
    norm(drawn, training=True)
    norm(inferred, training=True, inferred=True)
    for kept, met in ((norm.drawn, drawn), (norm.inferred, inferred)):
        mean, variance = (np.asarray(m) for m in tf.nn.moments(met, [0, 1, 2]))
        start = kept is norm.inferred  # which had followed the first batch, for want of its own
        m0 = np.asarray(0.1 * tf.reduce_mean(drawn, [0, 1, 2])) * start
        v0 = 0.9 + 0.1 * np.asarray(tf.math.reduce_variance(drawn, [0, 1, 2])) if start else 1.0
        np.testing.assert_allclose(kept.moving_mean, 0.9 * m0 + 0.1 * mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(kept.moving_variance, 0.9 * v0 + 0.1 * variance, rtol=1e-4)


def test_a_set_that_met_nothing_is_as_the_other_and_no_longer_once_it_has():
    norm = DualBatchNormalization()
    norm.build(X.shape)
    norm(X, training=True, inferred=True)
    np.testing.assert_array_equal(norm(X), norm(X, inferred=True))
    np.testing.assert_array_equal(norm.drawn.moving_mean, norm.inferred.moving_mean)
    norm(5 * X, training=True)
    kept = norm.drawn.moving_variance.numpy()
    norm(X, training=True, inferred=True)
    np.testing.assert_array_equal(norm.drawn.moving_variance, kept)
    assert np.abs(norm(X) - norm(X, inferred=True)).max() > 0.1


def test_in_training_a_batch_is_normalized_by_itself_whatever_its_latents():
    norm = DualBatchNormalization()
    norm.build(X.shape)
    expected = (X - np.mean(X, (0, 1, 2))) / np.sqrt(np.var(X, (0, 1, 2)) + 1e-5)
    for inferred in (False, True):
        found = norm(X, training=True, inferred=inferred)
        np.testing.assert_allclose(found, expected * norm.gamma.numpy(), rtol=1e-4, atol=1e-4)
    assert len(norm.trainable_variables) == 2


@pytest.mark.parametrize(("kind", "groups"), [("group", 2), ("layer", 1)])
def test_maps_are_normalized_by_groups_of_their_own_channels(kind, groups):
    """Of 6 channels, two groups: the largest number that divides 6 and 8."""
    (norm,) = normalizations(kind, 1, keras.DTypePolicy("float32"))
    x = 4 * random.normal([3, 5, 7, 6], random.root(0)).numpy() + 1
    by_group = x.reshape(3, 35, groups, 6 // groups)
    mean, variance = by_group.mean((1, 3), keepdims=True), by_group.var((1, 3), keepdims=True)
    expected = ((by_group - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    np.testing.assert_allclose(norm(x), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(norm(x[:1]), expected[:1], rtol=1e-4, atol=1e-4)


def test_no_normalization_is_no_layers():
    assert normalizations("none", 3, keras.DTypePolicy("float32")) == []


@pytest.mark.parametrize("kind", ["group", "layer"])
def test_channels_are_known_where_sides_are_not(kind):
    (layer,) = normalizations(kind, 1, keras.DTypePolicy("float32"))
    layer.build((None, None, None, None, 8))
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, None, 8))])
    assert traced.get_concrete_function().output_shapes.as_list() == [None] * 4 + [8]
