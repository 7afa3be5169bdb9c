"""DCGAN's discriminator, which introspective networks classify by: tables, log-odds, features."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.architectures.discriminator import Discriminator
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.families import dcgan64, dcgan_digits

SHAPES = {dcgan64: (64, 64, 3), dcgan_digits: (8, 8, 1)}
every_family = pytest.mark.parametrize(
    "family",
    [
        pytest.param(dcgan_digits, id="dcgan_digits"),
        pytest.param(dcgan64, id="dcgan64", marks=pytest.mark.slow),
    ],
)


def small(family=dcgan_digits, seed=0):
    """A narrow net with weights and statistics that matter, and images."""
    keras.utils.set_random_seed(seed)
    shape = (16, 16, 3) if family is dcgan64 else SHAPES[family]
    net = family.discriminator(shape, width=0.1)
    for number, v in enumerate(net.variables):
        v.assign(v.value + 0.1 * tf.abs(random.normal(v.shape, random.root(number))))
    return net, tf.tanh(random.normal([4, *shape], random.root(seed)))


# the tables


def test_the_net_for_64x64_is_the_papers():
    """INNg, section 4: four 5x5 layers of 64, 128, 256, 512 filters; at stride 2, as DCGAN's."""
    net = dcgan64.discriminator((64, 64, 3))
    assert [tuple(conv.kernel.shape) for conv in net.convs] == [
        (5, 5, 3, 64),
        (5, 5, 64, 128),
        (5, 5, 128, 256),
        (5, 5, 256, 512),
    ]
    assert [(conv.strides, conv.padding) for conv in net.convs] == [(2, 2)] * 4
    assert [m.shape[1:] for m in net.maps(tf.zeros([1, 64, 64, 3]))] == [
        (32, 32, 64),
        (16, 16, 128),
        (8, 8, 256),
        (4, 4, 512),
    ]
    assert tuple(net.head.kernel.shape) == (4, 4, 512, 1)
    weights = (
        25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512) + 16 * 512 + 1
    )
    assert sum(np.prod(v.shape) for v in net.trainable_variables) == weights


def test_the_last_three_maps_of_32x32_pixels_have_the_papers_14336_numbers():
    """Section 4.5: 8x8 of 128, 4x4 of 256 and 2x2 of 512."""
    net = dcgan64.discriminator((32, 32, 3))
    assert net.features(tf.zeros([2, 32, 32, 3])).shape == (2, 14_336)


@every_family
def test_the_file_shows_the_filters_that_its_nets_have(family):
    """The last column of the table in its docstring: filters, size, stride, padding."""
    rows = [
        line for line in family.__doc__.splitlines() if line.startswith("| ") and line[2].isdigit()
    ]
    tabled = [line.strip("| ").split("|")[-1].strip().removesuffix(", BN") for line in rows]
    net = family.discriminator(SHAPES[family])
    assert tabled == [
        f"{c.filters}, {c.kernel_size[0]}, s{c.strides} p{c.padding}" for c in net.convs
    ]


@every_family
def test_all_layers_but_the_first_are_normalized_and_the_head_alone_has_a_bias(family):
    net = family.discriminator(SHAPES[family], width=0.1)
    assert [norm.gamma.shape[0] for norm in net.norms] == [conv.filters for conv in net.convs[1:]]
    assert [conv.use_bias for conv in net.convs] == [False] * len(net.convs)
    assert net.head.use_bias


@every_family
def test_weights_start_with_a_standard_deviation_of_a_fiftieth(family):
    """To 5 standard errors of at least 1,000 weights; 8 kernels fail with a probability of 5e-6."""
    keras.utils.set_random_seed(0)
    net = family.discriminator(SHAPES[family], width=0.5)
    kernels = [
        layer.kernel.numpy()
        for layer in [*net.convs, net.head]
        if np.prod(layer.kernel.shape) > 1000
    ]
    assert len(kernels) >= 2
    for kernel in kernels:
        assert abs(kernel.std() / 0.02 - 1) < 5 / np.sqrt(2 * kernel.size)


@every_family
def test_width_is_a_factor_on_all_filters(family):
    whole, half = (family.discriminator(SHAPES[family], width=width) for width in (1.0, 0.5))
    assert [round(conv.filters / 2) for conv in whole.convs] == [
        conv.filters for conv in half.convs
    ]


def test_the_discriminator_for_64x64_takes_any_size():
    for side in (1, 7, 16, 33):
        assert dcgan64.discriminator((side, side, 1), width=0.1)(
            tf.zeros([2, side, side, 1])
        ).shape == (2,)


@pytest.mark.parametrize("side", [1, 3])
def test_images_too_small_are_refused(side):
    assert dcgan_digits.discriminator((4, 4, 1), width=0.1)(tf.zeros([2, 4, 4, 1])).shape == (2,)
    with pytest.raises(UserError, match="image_size: expected larger images"):
        dcgan_digits.discriminator((side, side, 1), width=0.1)


@every_family
def test_a_width_that_leaves_a_layer_empty_is_refused(family):
    with pytest.raises(UserError, match="at least one filter in every layer and found 0"):
        family.discriminator(SHAPES[family], width=0.001)


# what it computes


def test_a_discriminator_of_one_filter_is_what_can_be_computed_by_hand():
    """A leaky ReLU of slope 0.2 of w x, then the head."""
    convs, head = [Conv(1, 1, use_bias=False)], Conv(1, (1, 2))
    net = Discriminator(convs, head, (1, 2, 1))
    for v, value in zip(net.trainable_variables, (2.0, [3.0, 5.0], 0.5), strict=True):
        v.assign(np.reshape(value, v.shape))
    found = net(tf.reshape(tf.constant([1.0, -1.0, 0.0, 0.25]), [2, 1, 2, 1]))
    np.testing.assert_allclose(found, [3 * 2 - 5 * 0.2 * 2 + 0.5, 5 * 0.5 + 0.5], rtol=1e-6)


@every_family
def test_log_odds_are_those_of_keras_layers(family):
    """A convolution, normalization, leaky ReLU and dense layer; to float32 rounding of sums."""
    net, x = small(family)
    h = x
    for conv, norm in zip(net.convs, [None, *net.norms], strict=True):
        p = conv.padding
        h = tf.nn.conv2d(
            tf.pad(h, [[0, 0], [p, p], [p, p], [0, 0]]), conv.kernel, conv.strides, "VALID"
        )
        if norm is not None:
            scale = norm.gamma / tf.sqrt(norm.moving_variance + norm.epsilon)
            h = (h - norm.moving_mean) * scale + norm.beta
        h = tf.nn.leaky_relu(h, 0.2)
    flat, kernel = tf.reshape(h, [4, -1]), tf.reshape(net.head.kernel, [-1, 1])
    expected = (flat @ kernel)[:, 0] + net.head.bias
    np.testing.assert_allclose(net(x, training=False), expected, rtol=1e-4, atol=1e-5)


@every_family
def test_in_training_examples_are_normalized_by_their_batch_and_in_inference_alone(family):
    net, x = small(family)
    alone = tf.concat([net(x[i : i + 1], training=False) for i in range(4)], axis=0)
    np.testing.assert_allclose(net(x, training=False), alone, rtol=1e-4, atol=1e-5)
    before = [v.numpy().copy() for v in net.non_trainable_variables]
    half, whole = net(x[:2], training=True), net(x, training=True)
    assert np.abs(whole[:2] - half).max() > 1e-2 * np.abs(half).max()
    assert all(
        np.abs(v.numpy() - old).max() > 0
        for v, old in zip(net.non_trainable_variables, before, strict=True)
    )


@every_family
def test_features_are_the_last_three_maps_in_inference_mode(family):
    net, x = small(family)
    maps = net.maps(x, training=False)[-3:]
    expected = np.concatenate([np.reshape(m, [4, -1]) for m in maps], axis=1)
    np.testing.assert_array_equal(net.features(x), expected)
    assert net.features(x).dtype == tf.float32


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_log_odds_and_features_are_float32_whatever_the_policy(policy):
    keras.config.set_dtype_policy(policy)
    try:
        net, x = small()
        assert net(x, training=False).dtype == net.features(x).dtype == tf.float32
        assert all(v.dtype == "float32" for v in net.trainable_variables)
    finally:
        keras.config.set_dtype_policy("float32")


@every_family
def test_slopes_in_the_image_agree_with_finite_differences(family):
    """Where no kink is near, to 1 % of the slope, since the weights are float32."""
    net, x = small(family)
    with tf.GradientTape() as tape:
        tape.watch(x)
        odds = net(x, training=False)
    slope = tape.gradient(odds, x)
    direction = slope / tf.sqrt(tf.reduce_sum(slope**2, axis=[1, 2, 3], keepdims=True))
    difference = (
        net(x + 0.001 * direction, training=False) - net(x - 0.001 * direction, training=False)
    ) / 0.002
    np.testing.assert_allclose(
        difference, tf.reduce_sum(slope * direction, axis=[1, 2, 3]), rtol=0.01
    )


@every_family
def test_a_discriminator_sees_what_the_familys_generator_makes(family):
    generator = family.generator(SHAPES[family], width=0.1)
    image = generator(tf.zeros([2, *generator.latent_shape]))
    assert family.discriminator(SHAPES[family], width=0.1)(image).shape == (2,)
