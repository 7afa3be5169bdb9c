"""Portable forms of operations: TensorFlow's values and slopes, by operators that LiteRT has."""

import numpy as np
import pytest
import tensorflow as tf
from support import litert_models

from tfgen import portability

FUNCTIONS = {
    "relu": portability.relu,
    "leaky_relu": lambda x: portability.leaky_relu(x, 0.2),
    "clip": lambda x: portability.clip(x, -1.0, 1.0),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def value_and_slope(function, x):
    """Returns a function's values, and its derivative at each."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x)


@every_function
@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_the_portable_form_has_the_same_values_and_slopes(name, dtype):
    """At kinks, too, of the activations; a clip's slope at its bounds is of no account."""
    corners = [] if name == "clip" else [0.0]
    x = tf.constant([-3.0, -0.99, -0.125, *corners, 0.5, 1.01, 7.0], dtype)
    plain = value_and_slope(FUNCTIONS[name], x)
    with portability.portable():
        assert portability.is_portable()
        portable = value_and_slope(FUNCTIONS[name], x)
    assert not portability.is_portable()
    for a, b in zip(portable, plain, strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(tf.cast(a, tf.float32), tf.cast(b, tf.float32))


@every_function
def test_slopes_run_in_litert(name):
    x = tf.constant([[-3.0, -0.5, 0.5, 3.0]])
    with portability.portable():
        model = litert_models.converted(lambda x: value_and_slope(FUNCTIONS[name], x)[1], x.shape)
    np.testing.assert_array_equal(
        litert_models.run_once(model, x), value_and_slope(FUNCTIONS[name], x)[1]
    )


def test_a_clip_is_no_operator_that_onnx_lacks():
    """The converter makes RELU_N1_TO_1 of any minimum and maximum with the bounds -1 and 1."""
    with portability.portable():
        model = litert_models.converted(FUNCTIONS["clip"], (1, 4))
    names = litert_models.operators(model)
    assert {"MINIMUM", "MAXIMUM"} <= names
    assert not any("RELU" in name for name in names)
