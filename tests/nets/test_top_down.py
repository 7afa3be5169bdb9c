"""The auto-encoder inside a ConvNet: equations 13 to 17, against automatic differentiation."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.architectures.top_down import top_down
from tfgen.nets.families import (
    generative_convnet_digits,
    generative_convnet_object,
    generative_convnet_texture,
    prototype,
    toy,
    triangle_digits,
)


def lively(net, seed=0):
    """Gives a net weights of He's scale and random biases: about half of the units are on."""
    for i, weight in enumerate(net.weights):
        fan_in = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 4
        weight.assign(
            random.normal(weight.shape, random.fold_in(random.root(seed), i)) * (2 / fan_in) ** 0.5
        )
    return net


NETS = {
    "texture": (generative_convnet_texture, (31, 34, 3), {"width": 0.1}),
    "object": (generative_convnet_object, (17, 16, 3), {"width": 0.1}),
    "digits": (generative_convnet_digits, (8, 8, 1), {"width": 0.2}),
    "prototype": (prototype, (6, 5, 1), {"filters": 9}),
    "toy": (toy, (1, 1, 2), {"width": 0.3}),
}


def build(name, activation="relu"):
    """A lively net, and images for it."""
    family, shape, options = NETS[name]
    net = lively(family.energy(shape, activation=activation, **options))
    return net, random.normal([3, *shape], random.root(1))


def total(maps):
    """The sum over all but the batch, in float64."""
    return np.sum(np.float64(maps), axis=(1, 2, 3))


def score_and_gradient(net, x, label=None):
    """f and df/dx by automatic differentiation."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        f = -net(x)
        f = f if label is None else tf.gather(f, label, batch_dims=1)
    return f.numpy(), tape.gradient(f, x).numpy()


FAST = ("object", "texture")
"""A net with a top at each depth, and one whose maps are summed."""
every_net = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FAST else [pytest.mark.slow]) for n in NETS]
)


@every_net
@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_b_is_the_gradient_of_the_score(name, activation):
    """To 1e-5 of its largest entry."""
    net, x = build(name, activation)
    _, gradient = score_and_gradient(net, x)
    np.testing.assert_allclose(
        top_down(net, x).B, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max()
    )


@every_net
def test_the_score_is_alpha_plus_the_inner_product_with_b(name):
    """To 1e-5 of the summands' sizes."""
    net, x = build(name)
    f, _ = score_and_gradient(net, x)
    found = top_down(net, x)
    size = np.abs(found.alpha) + total(np.abs(x * found.B))
    assert np.all(np.abs(f - (found.alpha + total(x * found.B))) < 1e-5 * size)


@every_net
def test_the_activation_pattern_is_0_or_1_and_both_occur(name):
    net, x = build(name)
    pattern = top_down(net, x).delta
    assert len(pattern) == len(net.convs)
    for delta in pattern:
        assert set(np.unique(delta)) == {0.0, 1.0}


@every_net
def test_the_activation_pattern_is_the_sign_of_the_responses(name):
    net, h = build(name)
    for conv, delta in zip(net.convs, top_down(net, h).delta, strict=True):
        response = conv(h)
        np.testing.assert_array_equal(delta, response.numpy() > 0)
        h = tf.nn.relu(response)


@every_net
def test_the_score_is_alpha_l_plus_the_inner_product_with_b_l_at_every_layer(name):
    """Equation 15; alpha_l is the sum of <B^(m), delta^(m) b_m> over the layers m > l."""
    net, x = build(name)
    f, _ = score_and_gradient(net, x)
    found = top_down(net, x)
    maps = [x]
    for conv in net.convs:
        maps.append(tf.nn.relu(conv(maps[-1])))
    coefficients = [found.B, *found.coefficients]
    biases = [
        total(b * delta * conv.bias)
        for b, delta, conv in zip(found.coefficients, found.delta, net.convs, strict=True)
    ]
    for layer, (b, h) in enumerate(zip(coefficients, maps, strict=True)):
        assert b.shape == h.shape
        alpha = np.sum(biases[layer:], axis=0)
        size = np.abs(alpha) + total(np.abs(b * h))
        assert np.all(np.abs(f - (alpha + total(b * h))) < 1e-5 * size)


def test_the_top_coefficients_are_ones_where_maps_are_summed():
    net, x = build("texture")
    found = top_down(net, x)
    np.testing.assert_array_equal(found.coefficients[-1], np.ones(found.delta[-1].shape))


def test_between_two_images_of_one_piece_the_score_is_linear():
    """A piece is convex: between two of its images, scores lie on the line of theirs."""
    net, _ = build("prototype")
    a = random.normal([4000, 6, 5, 1], random.root(2))
    b = a + 0.2 * random.normal(a.shape, random.root(3))
    same = np.all(top_down(net, a).delta[0] == top_down(net, b).delta[0], axis=(1, 2, 3))
    assert same.sum() > 100
    a, b = a[same], b[same]
    for t in (0.25, 0.5, 0.9):
        f = net((1 - t) * a + t * b).numpy()
        line = (1 - t) * net(a).numpy() + t * net(b).numpy()
        np.testing.assert_allclose(f, line, rtol=1e-5, atol=1e-5)


def test_between_two_images_of_different_pieces_the_score_lies_under_the_line():
    """The prototype's score is convex, and strictly so over a kink."""
    net, _ = build("prototype")
    a, b = (3 * random.normal([200, 6, 5, 1], random.root(seed)) for seed in (2, 3))
    gap = (net(a) + net(b)).numpy() / 2 - net((a + b) / 2).numpy()
    assert np.all(gap < 1e-4)
    assert gap.min() < -0.1


@pytest.mark.parametrize("family", [generative_convnet_object, generative_convnet_digits, toy])
def test_with_several_outputs_b_is_that_of_the_labels_class(family):
    shape = (1, 1, 2) if family is toy else (16, 16, 1)
    net = lively(family.energy(shape, width=0.2, activation="relu", outputs=3))
    x, label = random.normal([4, *shape], random.root(1)), tf.constant([0, 2, 1, 2])
    f, gradient = score_and_gradient(net, x, label)
    found = top_down(net, x, label)
    np.testing.assert_allclose(found.B, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())
    size = np.abs(found.alpha) + total(np.abs(x * found.B))
    assert np.all(np.abs(f - (found.alpha + total(x * found.B))) < 1e-5 * size)


def test_b_is_the_gradient_through_leaky_relus_and_normalized_kernels_too():
    net = lively(triangle_digits.energy((8, 8, 1), width=0.2, spectral_norm=True))
    x = random.normal([3, 8, 8, 1], random.root(1))
    net(x, training=True)
    f, gradient = score_and_gradient(net, x)
    found = top_down(net, x)
    np.testing.assert_allclose(found.B, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())
    np.testing.assert_allclose(f, total(x * found.B), rtol=1e-4)  # without biases, alpha is zero


def test_a_net_with_batch_normalization_is_refused():
    net = triangle_digits.energy((8, 8, 1), width=0.2, batch_norm=True)
    with pytest.raises(UserError, match="batch_norm: expected a net without it"):
        top_down(net, tf.zeros([1, 8, 8, 1]))


def test_a_net_whose_energy_is_no_linear_function_of_the_score_is_refused():
    net = triangle_digits.energy((8, 8, 1), width=0.2, form="tanh")
    with pytest.raises(UserError, match="form: expected identity"):
        top_down(net, tf.zeros([1, 8, 8, 1]))


def test_several_outputs_without_a_label_are_refused():
    net = toy.energy((1, 1, 2), outputs=3)
    with pytest.raises(UserError, match="has 3 outputs"):
        top_down(net, tf.zeros([1, 1, 1, 2]))


@every_net
def test_at_a_smaller_depth_the_pass_is_that_of_the_smaller_net(name):
    net, x = build(name)
    for depth in range(1, len(net.convs) + 1):
        net.depth = depth
        _, gradient = score_and_gradient(net, x)
        found = top_down(net, x)
        assert len(found.delta) == len(found.coefficients) == net.depth
        np.testing.assert_allclose(found.B, gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())


def test_images_of_any_size_pass_through_a_traced_function():
    net, _ = build("texture")
    traced = tf.function(
        lambda x: top_down(net, x).B,
        autograph=False,
        input_signature=[tf.TensorSpec((None, None, None, 3))],
    )
    for side in (31, 40):
        x = random.normal([1, side, side, 3], random.root(0))
        np.testing.assert_allclose(traced(x), top_down(net, x).B, atol=1e-5)
