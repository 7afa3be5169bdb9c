"""The classifiers' net: its table, its two halves, sizes of images, precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.families.convnet_classifier import classifier

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3), (64, 64, 3), (20, 33, 3), (1, 2, 1)]


def build(shape=(8, 8, 1), **options):
    """A narrow net, seeded."""
    keras.utils.set_random_seed(0)
    return classifier(shape, **({"width": 0.125} | options))


def maps(net, shape):
    """Height and width of the last maps."""
    shape = (None, *shape)
    for conv in net.convs:
        shape = conv.compute_output_shape(shape)
    return shape[1:3]


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size_have_features_of_one_length(shape):
    net = build(shape)
    x = random.normal([3, *shape], random.root(0))
    assert net.features(x).shape == (3, 16)
    assert net(x).shape == (3, 10)
    assert min(maps(net, shape)) <= 8


def test_the_net_is_the_table():
    net = classifier((64, 64, 3))
    rows = [(conv.kernel.shape[2:], conv.strides) for conv in net.convs]
    assert rows[:4] == [((3, 32), 1), ((32, 32), 1), ((32, 64), 2), ((64, 64), 1)]
    assert rows[4:] == [((64, 128), 2), ((128, 128), 1), ((128, 128), 2), ((128, 128), 1)]
    assert all(conv.kernel_size == (3, 3) for conv in net.convs)
    assert tuple(net.dense.kernel.shape) == (128, 10)


@pytest.mark.parametrize(
    ("side", "layers", "left"), [(8, 6, 2), (28, 6, 7), (32, 6, 8), (64, 8, 8)]
)
def test_the_reductions_follow_the_image_size(side, layers, left):
    net = build((side, side, 1))
    assert len(net.convs) == layers
    assert maps(net, (side, side, 1)) == (left, left)


@pytest.mark.parametrize("training", [False, True])
def test_the_features_are_what_the_layers_of_the_table_make(training):
    """Written out layer by layer; in training, batches are normalized by their own moments."""
    net = build()
    x = random.normal([5, 8, 8, 1], random.root(1))
    h = x
    for conv, norm in zip(net.convs, net.norms, strict=True):
        h = tf.pad(h, [[0, 0], [1, 1], [1, 1], [0, 0]])
        h = tf.nn.conv2d(h, conv.kernel.value, conv.strides, "VALID")
        moments = (
            tf.nn.moments(h, [0, 1, 2])
            if training
            else (norm.moving_mean.value, norm.moving_variance.value)
        )
        h = tf.nn.relu(
            tf.nn.batch_normalization(h, *moments, norm.beta.value, norm.gamma.value, norm.epsilon)
        )
    np.testing.assert_allclose(
        net.features(x, training), tf.reduce_mean(h, axis=[1, 2]), rtol=1e-4, atol=1e-5
    )


def test_the_head_of_the_features_is_the_net():
    net = build()
    x = random.normal([5, 8, 8, 1], random.root(1))
    np.testing.assert_array_equal(net.head(net.features(x)), net(x, training=False))


def test_logits_and_features_are_float32_in_bfloat16_compute_too():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        net = build()
    finally:
        keras.config.set_dtype_policy("float32")
    x = random.normal([4, 8, 8, 1], random.root(0))
    assert net(x).dtype == net.features(x).dtype == tf.float32
    assert all(weight.dtype == "float32" for weight in net.weights)
    # eight bits of mantissa through six layers
    np.testing.assert_allclose(
        net.features(x), build().features(x), atol=0.05 * float(tf.reduce_max(net.features(x)))
    )


@pytest.mark.parametrize("outputs", [0, 1])
def test_fewer_than_two_classes_are_refused(outputs):
    with pytest.raises(
        UserError, match=f"outputs: expected at least 2 classes and found {outputs}"
    ):
        build(outputs=outputs)


def test_a_width_without_filters_is_refused():
    with pytest.raises(UserError, match="width"):
        build(width=0.01)
