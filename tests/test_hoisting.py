"""What follows from weights alone is computed once for a loop, and again for the next one."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import energies, hoisting, random
from tfgen.models.snapshots import Snapshots
from tfgen.nets.convolution import implementations
from tfgen.nets.convolution.layers import Conv
from tfgen.nets.families import triangle_digits
from tfgen.samplers import Langevin, run


def looped(compute, steps=3):
    """A loop that adds what is held at each step."""
    with hoisting.around_loop():
        add = lambda i, total: (i + 1, total + hoisting.held("key", compute))  # noqa: E731
        return tf.while_loop(lambda i, total: i < steps, add, (0, 0.0))[1]


@pytest.mark.parametrize("traced", [False, True])
def test_a_value_is_computed_once_for_a_loop_and_anew_for_the_next(traced):
    times, weight = tf.Variable(0), tf.Variable(2.0)

    def compute():
        with tf.control_dependencies([times.assign_add(1)]):
            return weight * 1.0

    function = (
        tf.function(lambda: looped(compute), autograph=False) if traced else lambda: looped(compute)
    )
    assert function() == 6
    assert times == 1
    weight.assign(3.0)
    assert function() == 9
    assert times == 2


def test_without_a_loop_nothing_is_held():
    found = iter(range(2))
    assert [hoisting.held("key", lambda: next(found)) for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("convolution", ["direct", "space_to_depth", "toom_cook"])
def test_chains_follow_weights_that_change_between_runs(convolution):
    """A traced run prepares its kernels anew each time it is called."""
    conv = Conv(2, 4, 2, 1, convolution=convolution)
    x = random.normal((2, 8, 8, 1), random.root(0))
    conv.build(x.shape)

    def chain(x):
        energy = lambda x: tf.reduce_sum(conv(x) ** 2, axis=[1, 2, 3])  # noqa: E731
        return run(Langevin(0.1, temperature=0.0), energy, x, random.root(1), 2)[0]

    traced = tf.function(chain, autograph=False)
    for seed in range(2):
        conv.kernel.assign(random.normal(conv.kernel.shape, random.root(seed)))
        tf.debugging.assert_near(traced(x), chain(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("convolution", ["space_to_depth", "toom_cook"])
def test_kernels_are_prepared_outside_of_the_loop(convolution):
    """Its body neither pads nor transforms weights: it reads none."""
    conv = Conv(2, 5, 2, 2, use_bias=False, convolution=convolution)
    conv.build((None, 8, 8, 1))

    @tf.function(autograph=False)
    def chain(x):
        energy = lambda x: tf.reduce_sum(conv(x) ** 2, axis=[1, 2, 3])  # noqa: E731
        return run(Langevin(0.1), energy, x, random.root(1), 2)[0]

    graph = chain.get_concrete_function(tf.TensorSpec((2, 8, 8, 1))).graph
    (loop,) = [op for op in graph.get_operations() if op.type in ("While", "StatelessWhile")]
    body = graph._get_function(loop.get_attr("body").name).graph
    assert not [op.name for op in body.get_operations() if op.type == "ReadVariableOp"]


@pytest.mark.parametrize("convolution", ["direct", "space_to_depth", "toom_cook"])
def test_two_classifiers_of_a_cascade_keep_their_own_kernels_in_a_loop(convolution):
    """A step down the sum of two: the same layers, with other weights."""
    with implementations.defaulting_to(convolution):
        net = triangle_digits.energy((8, 8, 1), width=0.25)
    snapshots, x = Snapshots(net, 2), random.normal((4, 8, 8, 1), random.root(0))
    for stage in range(2):
        for number, weight in enumerate(net.trainable_variables):
            weight.assign(random.normal(weight.shape, random.root(10 * stage + number)))
        snapshots.keep(net, tf.constant(stage))
    classifiers = [snapshots.net_at(net, stage) for stage in range(2)]
    energy = lambda x: sum(classifier(x) for classifier in classifiers)  # noqa: E731
    kernel = Langevin(0.1, temperature=0.0)
    found, _ = tf.function(lambda x: run(kernel, energy, x, random.root(1), 2), autograph=False)(x)
    expected = x
    for _ in range(2):
        expected = expected - 0.1**2 / 2 * energies.value_and_grad(energy, expected)[1]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
