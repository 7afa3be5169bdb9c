"""The convolution with a gradient of its own has TensorFlow's values and derivatives.

Weights and images are small whole numbers, so float32 sums are exact and equality is exact too.
"""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgen import random
from tfgen.nets.convolution.adjoint import blocks_of_kernel, convolve

CASES = {
    "kernel": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "beyond": st.tuples(st.integers(0, 4), st.integers(0, 4)),
    "channels": st.integers(1, 3),
    "filters": st.integers(1, 3),
}


def theirs(x, kernel):
    """TensorFlow's own."""
    return tf.nn.conv2d(x, kernel, 1, "VALID")


def integers(*shape, seed=0):
    """float32 whole numbers in [-2, 2]."""
    return tf.constant(np.random.default_rng(seed).integers(-2, 3, shape).astype(np.float32))


def case(kernel, beyond, channels, filters):
    """An image at least as large as the kernel, and the kernel."""
    sides = [k + more for k, more in zip(kernel, beyond, strict=True)]
    return integers(2, *sides, channels, seed=1), integers(*kernel, channels, filters, seed=2)


def differentiated(function, x, kernel):
    """Returns the value, both gradients of a sum, and those of the gradients' squared norms / 2."""
    with tf.GradientTape() as outer:
        outer.watch([x, kernel])
        with tf.GradientTape() as inner:
            inner.watch([x, kernel])
            y = function(x, kernel)
            loss = tf.reduce_sum(y**2 * integers(*y.shape, seed=3))
        first = inner.gradient(loss, [x, kernel])
        norm = sum(tf.reduce_sum(g**2) for g in first) / 2
    return [y, *first, *outer.gradient(norm, [x, kernel])]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(**CASES)
def test_values_gradients_and_second_derivatives_are_those_of_the_direct_convolution(
    kernel, beyond, channels, filters
):
    """Of a nonlinear loss; to rounding, since second derivatives' sums outgrow whole float32s."""
    x, kernel = case(kernel, beyond, channels, filters)
    ours, direct = (differentiated(function, x, kernel) for function in (convolve, theirs))
    for a, b in zip(ours[:3], direct[:3], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(ours[3:], direct[3:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 * max(np.abs(b).max(), 1))


def test_the_second_derivative_of_a_gradient_norm_is_that_of_finite_differences():
    """As gradient penalties need, in float64: differences err by 1e-7, rounding by 1e-10."""
    x, kernel = (
        random.normal(shape, random.root(0), tf.float64) for shape in ((2, 5, 4, 2), (3, 2, 2, 3))
    )
    direction = random.normal(kernel.shape, random.root(1), tf.float64)

    def norm(kernel):
        with tf.GradientTape() as tape:
            tape.watch(x)
            u = tf.reduce_sum(tf.math.tanh(convolve(x, kernel)))
        return tf.reduce_sum(tape.gradient(u, x) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = norm(kernel)
    slope = tf.reduce_sum(tape.gradient(penalty, kernel) * direction)
    difference = (norm(kernel + 1e-5 * direction) - norm(kernel - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose(difference, slope, rtol=1e-6)


def test_third_derivatives_exist_too():
    """Of |x * k|^4 with one pixel and one weight: 24 x k^4 in x thrice."""
    x, kernel = tf.constant(2.0, shape=(1, 1, 1, 1)), tf.constant(3.0, shape=(1, 1, 1, 1))
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = convolve(x, kernel) ** 4
            y = first.gradient(y, x)
        y = second.gradient(y, x)
    np.testing.assert_allclose(tf.squeeze(third.gradient(y, x)), 24 * 2 * 3**4)


def test_only_what_is_asked_for_is_differentiated():
    """An image's gradient alone, as samplers want it."""
    x, kernel = case((3, 3), (2, 2), 2, 3)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = convolve(x, kernel)
    with tf.GradientTape() as other:
        other.watch(x)
        z = theirs(x, kernel)
    np.testing.assert_array_equal(tape.gradient(y, x), other.gradient(z, x))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_traced_convolution_of_unknown_sides_has_the_same_gradients(jit_compile):
    x, kernel = case((3, 2), (3, 4), 2, 3)
    signature = [tf.TensorSpec((None, None, None, 2)), tf.TensorSpec(kernel.shape)]

    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            loss = tf.reduce_sum(convolve(x, kernel) ** 2)
        return tape.gradient(loss, [x, kernel])

    traced = tf.function(
        gradients, autograph=False, input_signature=signature, jit_compile=jit_compile
    )
    for a, b in zip(traced(x, kernel), gradients(x, kernel), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("size", "strides"), [((5, 4), 2), ((7, 7), 3), ((4, 4), 2), ((3, 5), 4)])
def test_the_kernel_over_blocks_holds_each_weight_once_and_zeros_else(size, strides):
    kernel = integers(*size, 2, 3) + 5  # none is zero
    blocks = blocks_of_kernel(kernel, strides)
    rows, columns = (-(-side // strides) for side in size)
    assert blocks.shape == (rows, columns, strides**2 * 2, 3)
    found = np.sort(blocks.numpy().ravel())
    padding = rows * columns * strides**2 * 6 - kernel.numpy().size
    np.testing.assert_array_equal(found[:padding], 0)
    np.testing.assert_array_equal(found[padding:], np.sort(kernel.numpy().ravel()))


def test_the_padding_of_the_gradient_is_not_joined_to_the_convolution():
    """TensorFlow joins `Pad` and `Conv2D`, and oneDNN has slow code alone for single images."""

    @tf.function
    def gradient(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(convolve(x, kernel))
        return tape.gradient(value, x)

    graph = gradient.get_concrete_function(tf.zeros([1, 8, 8, 3]), tf.zeros([3, 3, 3, 4])).graph
    kinds = {op.type for op in graph.get_operations()}
    assert "PadV2" in kinds
    assert "Pad" not in kinds
