"""Toom-Cook's products give the direct convolution's values and gradients, to known rounding."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tfgen import energies, random
from tfgen.nets.convolution import toom_cook, transforms
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.families import dcgan32

CASES = {
    "kernel": st.tuples(st.integers(1, 5), st.integers(1, 5)),
    "strides": st.integers(1, 3),
    "padding": st.integers(0, 2),
    "size": st.tuples(st.integers(2, 13), st.integers(2, 13)),
    "channels": st.integers(1, 3),
}


def layers(kernel, strides, padding, size, channels):
    """A direct layer, one by these products with the same weights, and images for both."""
    convs = [
        Conv(3, kernel, strides, padding, convolution=name) for name in ("direct", "toom_cook")
    ]
    x = random.normal((2, *size, channels), random.root(0))
    for conv in convs:
        conv.build(x.shape)
        conv.kernel.assign(random.normal(conv.kernel.shape, random.root(1)))
    return *convs, x


def everything(conv, x):
    """The value, and the gradients in image and weights of a loss that is not linear in them."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = conv(x)
        loss = tf.reduce_sum(tf.sin(y))
    return [y, *tape.gradient(loss, [x, conv.kernel.value, conv.bias.value])]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(**CASES)
def test_values_and_gradients_are_the_direct_convolutions(kernel, strides, padding, size, channels):
    """To 2e-5 of the largest: 170 roundings of float32, some amplified tenfold by transforms."""
    assume(all(strides < k <= n + 2 * padding for k, n in zip(kernel, size, strict=True)))
    direct, ours, x = layers(kernel, strides, padding, size, channels)
    for a, b in zip(everything(ours, x), everything(direct, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * max(np.abs(b).max(), 1))


def test_the_transforms_are_exact_but_for_rounding():
    """In float64, to 1e-12."""
    convs = [
        Conv(4, 5, 2, 2, convolution=name, dtype="float64") for name in ("direct", "toom_cook")
    ]
    x = random.normal((2, 16, 16, 3), random.root(0), tf.float64)
    for conv in convs:
        conv.build(x.shape)
        conv.kernel.assign(random.normal(conv.kernel.shape, random.root(1), tf.float64))
    np.testing.assert_allclose(
        convs[1](x), convs[0](x), rtol=0, atol=1e-12 * np.abs(convs[0](x)).max()
    )


@pytest.mark.parametrize(
    ("tile", "roundings"), [(1, 9), (2, 7), (3, 28), (4, 30), (5, 44), (6, 80)]
)
def test_rounding_grows_with_the_tile(tile, roundings):
    """The RMS error of DCGAN's third layer, in units of float32's rounding of a typical output.

    A direct convolution of 3200 terms errs by 8 with oneDNN, ours by 6, 4, 18, 19, 29 and 52.
    """
    axis = transforms.axis(8, 5, 2, 2, tile)
    plan = transforms.Plan(axis, axis)
    x, kernel = (
        random.normal((4, 8, 8, 128), random.root(0)),
        random.normal((5, 5, 128, 64), random.root(1)),
    )
    exact = tf.nn.conv2d(
        *(tf.cast(t, tf.float64) for t in (x, kernel)), 2, [[0, 0], [2, 2], [2, 2], [0, 0]]
    )
    found = toom_cook.convolve(x, toom_cook.prepared(kernel, plan), plan)
    error = np.sqrt(np.mean((found.numpy() - exact.numpy()) ** 2) / np.mean(exact.numpy() ** 2))
    assert error < roundings * np.finfo(np.float32).eps


def test_a_plan_makes_the_fewest_multiplications():
    """4 outputs of 5 taps at stride 2: 4 + 3 - 1 for either phase instead of 4 * 5 along a side."""
    plan = transforms.plan((8, 8), (5, 5), 2, 2)
    assert [axis.multiplications for axis in plan] == [12, 12]
    assert plan.saving == pytest.approx((20 / 12) ** 2)
    assert transforms.plan((14, 14), (4, 4), 2, 1).rows.multiplications == 2 * (7 + 2 - 1)


def test_an_energy_and_its_slope_are_the_direct_nets():
    """Of DCGAN's discriminator at a quarter of its width, to 1e-5 of the largest."""
    found = {}
    x = random.normal((20, 32, 32, 3), random.root(0))
    for name in ("direct", "toom_cook"):
        net = dcgan32.energy((32, 32, 3), width=0.25)
        for number, weight in enumerate(net.trainable_variables):
            weight.assign(0.1 * random.normal(weight.shape, random.root(number)))
        for conv in net.convs:
            conv.convolution = name
        found[name] = energies.value_and_grad(energies.frozen(net), x)
    for a, b in zip(found["toom_cook"], found["direct"], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max())
