"""Generators and inference nets, layer by layer against their definitions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.architectures.activations import softplus
from tfgen.nets.architectures.latent import Generator, Inference
from tfgen.nets.architectures.tables import Row
from tfgen.nets.convolution.layers import Conv, ConvTranspose
from tfgen.nets.convolution.normalization import NORMALIZATIONS
from tfgen.nets.families import triangle_digits, triangle_mnist, triangle_texture

SHAPE = (8, 8, 1)
NORMALIZED = {
    "energy": {"batch_norm": True},
    "generator": {"normalization": "dual_batch"},
    "inference": {"batch_norm": True},
}
"""Options by which a role's net has running statistics."""


def lively(net, factor=5.0):
    """Weights large enough that responses matter."""
    for weight in net.trainable_variables:
        weight.assign(factor * weight.value)
    return net


def images(count=4, shape=SHAPE):
    """In units of the pixels."""
    return random.normal([count, *shape], random.root(0))


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_a_generator_is_transposed_convolutions_normalization_relu_and_tanh(normalization):
    keras.utils.set_random_seed(0)
    net = lively(triangle_digits.generator(SHAPE, width=0.2, normalization=normalization))
    z = random.normal([4, 16], random.root(0))
    h = tf.reshape(z, [4, 1, 1, 16])
    for i, layer in enumerate(net.stack[:-1]):
        h = layer(h)
        if normalization == "batch":
            mean, variance = tf.nn.moments(h, [0, 1, 2])
            h = tf.nn.batch_normalization(
                h, mean, variance, net.norms[i].beta, net.norms[i].gamma, 1e-5
            )
        h = tf.nn.relu(h)
    np.testing.assert_allclose(
        net(z, training=True), np.tanh(net.stack[-1](h)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("batch_norm", [True, False])
def test_an_inference_net_is_convolutions_leaky_relu_and_two_heads(batch_norm):
    """Keras's leaky ReLU, of slope a fifth; the first layer is not normalized."""
    keras.utils.set_random_seed(0)
    net = lively(triangle_digits.inference(SHAPE, width=0.2, batch_norm=batch_norm))
    h = x = images()
    for i, conv in enumerate(net.convs):
        h = conv(h)
        if batch_norm and i:
            mean, variance = tf.nn.moments(h, [0, 1, 2])
            h = tf.nn.batch_normalization(
                h, mean, variance, net.norms[i - 1].beta, net.norms[i - 1].gamma, 1e-5
            )
        h = keras.activations.leaky_relu(h, negative_slope=0.2)
    for found, head in zip(net(x, training=True), (net.mean, net.log_var), strict=True):
        np.testing.assert_allclose(found, tf.reshape(head(h), [4, 16]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_an_energy_of_a_table_is_convolutions_leaky_relu_and_a_top_over_the_map(batch_norm):
    keras.utils.set_random_seed(0)
    net = lively(triangle_digits.energy(SHAPE, width=0.2, batch_norm=batch_norm))
    h = x = images()
    for i, conv in enumerate(net.convs):
        h = conv(h)
        if batch_norm and i:
            mean, variance = tf.nn.moments(h, [0, 1, 2])
            h = tf.nn.batch_normalization(
                h, mean, variance, net.norms[i - 1].beta, net.norms[i - 1].gamma, 1e-5
            )
        h = keras.activations.leaky_relu(h, negative_slope=0.2)
    expected = -np.einsum("bijc,ijc->b", h, net.top.kernel[..., 0])
    np.testing.assert_allclose(net(x, training=True), expected, rtol=1e-4, atol=1e-5)


def test_the_leaky_relus_slope_is_the_derivative():
    from tfgen.nets.architectures.activations import ACTIVATIONS

    r = tf.constant([-3.0, -0.5, 0.5, 3.0])
    for name, activation in ACTIVATIONS.items():
        with tf.GradientTape() as tape:
            tape.watch(r)
            h = activation.function(r)
        np.testing.assert_allclose(
            activation.slope(r), tape.gradient(h, r), rtol=1e-5, err_msg=name
        )


def test_a_map_of_latents_has_a_mean_and_a_variance_at_each_place():
    """A change in one corner of the image leaves the latents of the far corner as they are."""
    net = lively(triangle_texture.inference((128, 128, 1), width=0.05))
    x = images(1, (128, 128, 1))
    change = tf.pad(tf.ones([1, 16, 16, 1]), [[0, 0], [0, 112], [0, 112], [0, 0]])
    for a, b in zip(net(x), net(x + change), strict=True):
        assert a.shape == (1, 4, 4, 5)
        assert not np.array_equal(a[:, 0, 0], b[:, 0, 0])
        np.testing.assert_array_equal(a[:, 3, 3], b[:, 3, 3])


def test_latents_are_told_apart_by_the_generator():
    """Its gradient in z is nowhere zero: no latent is left out."""
    net = triangle_digits.generator(SHAPE)
    z = random.normal([2, 16], random.root(1))
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_sum(net(z, training=False) ** 2)
    assert np.abs(tape.gradient(loss, z)).min() > 0


def test_layers_that_do_not_lead_to_the_image_are_refused():
    layers = [ConvTranspose(4, 4), ConvTranspose(1, 4, 2, 1)]
    assert Generator(layers, (3,), SHAPE)(tf.zeros([2, 3])).shape == (2, *SHAPE)
    for shape in ((8, 8, 3), (16, 8, 1), (7, 8, 1)):
        with pytest.raises(
            UserError, match="the generator makes, 8x8x1, and found " + "x".join(map(str, shape))
        ):
            Generator([ConvTranspose(4, 4), ConvTranspose(1, 4, 2, 1)], (3,), shape)


def test_a_row_scales_its_filters_alone():
    row = Row(64, (3, 5), 2, 1)
    assert row.scaled(0.5) == Row(32, (3, 5), 2, 1)
    assert Row(10, 3) == Row(10, 3, strides=1, padding=0)


def test_the_two_heads_have_weights_of_their_own():
    net = Inference.from_table([Row(4, 4, 2, 1)], None, 3, SHAPE, width=1.0, batch_norm=False)
    assert isinstance(net.mean, Conv)
    assert net.mean.kernel is not net.log_var.kernel
    assert not np.array_equal(net.mean.kernel, net.log_var.kernel)


def test_weights_are_saved_and_restored(tmp_path):
    """Running statistics included."""
    z, x = random.normal([4, 16], random.root(0)), images()
    for role, batch in (("generator", z), ("inference", x)):
        first, second = (
            getattr(triangle_digits, role)(SHAPE, width=0.2, **NORMALIZED[role]) for _ in range(2)
        )
        first(batch, training=True)
        first.save_weights(tmp_path / f"{role}.weights.h5")
        second.load_weights(tmp_path / f"{role}.weights.h5")
        for a, b in zip(tf.nest.flatten(first(batch)), tf.nest.flatten(second(batch)), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_a_generator_of_each_normalization_is_made_again_from_its_config(kind):
    net = triangle_digits.generator(SHAPE, width=0.2, normalization=kind)
    again = Generator.from_config(net.get_config())
    assert again.normalization == kind
    assert again.named_variables().keys() == net.named_variables().keys()
    again.set_weights(net.get_weights())
    z = random.normal([4, 16], random.root(0))
    np.testing.assert_array_equal(again(z), net(z))
    np.testing.assert_array_equal(again.of_inferred(z), net.of_inferred(z))


@pytest.mark.parametrize(("before", "kind"), [(True, "batch"), (False, "none")])
def test_a_config_that_says_batch_norm_is_still_read(before, kind):
    config = triangle_digits.generator(SHAPE, width=0.2, normalization=kind).get_config()
    del config["normalization"]
    assert Generator.from_config(config | {"batch_norm": before}).normalization == kind


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_only_dual_statistics_tell_inferred_latents_from_drawn_ones(kind):
    net = lively(triangle_digits.generator(SHAPE, width=0.2, normalization=kind))
    z = random.normal([4, 16], random.root(0))
    net(z, training=True)
    net.of_inferred(2 * z, training=True)
    assert np.array_equal(net(z), net.of_inferred(z)) == (kind != "dual_batch")


def _interaction(net):
    """Returns how far the energy of two changed corners is from the sum of their own changes."""
    x = random.normal([1, 28, 28, 1], random.root(0)).numpy()
    first, second = np.zeros_like(x), np.zeros_like(x)
    first[:, :3, :3], second[:, -3:, -3:] = 2, 2
    u = [float(net(x + change)[0]) for change in (0, first, second, first + second)]
    return abs(u[3] - u[2] - u[1] + u[0]) / abs(u[3] - u[0])


def test_an_energy_with_a_hidden_layer_sees_the_whole_picture():
    """Opposite corners add up in a net whose layers below the top see 10 of 28 pixels."""
    keras.utils.set_random_seed(0)
    local, whole = (
        lively(triangle_mnist.energy((28, 28, 1), width=0.1, hidden=hidden), 20)
        for hidden in (0, 32)
    )
    assert _interaction(local) < 2e-4
    assert _interaction(whole) > 2e-3
    assert [conv.filters for conv in whole.convs] == [6, 13, 32]
    assert whole.convs[-1].kernel_size == (7, 7)


def test_a_hidden_layer_of_a_sum_is_refused():
    with pytest.raises(UserError, match="hidden: expected 0, since the score is a sum"):
        triangle_texture.energy((32, 32, 3), width=0.1, hidden=8)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("identity", lambda u: u),
        ("softplus", lambda u: np.logaddexp(0, u)),
        ("tanh", np.tanh),
        ("sigmoid", lambda u: 1 / (1 + np.exp(-u))),
    ],
)
def test_an_energys_form_is_a_function_of_the_nets_output(form, expected):
    keras.utils.set_random_seed(0)
    plain = lively(triangle_digits.energy(SHAPE, width=0.2), 9)
    net = triangle_digits.energy(SHAPE, width=0.2, form=form)
    net.set_weights(plain.get_weights())
    x = 20 * images(8)
    u = plain(x).numpy().astype(np.float64)
    assert u.min() < -1
    assert u.max() > 1
    np.testing.assert_allclose(net(x), expected(u), rtol=1e-5, atol=1e-6)
    assert type(net).from_config(net.get_config()).form == form


def test_softplus_is_finite_far_from_zero():
    np.testing.assert_allclose(softplus(tf.constant([-200.0, 0, 200])), [0, np.log(2), 200])
