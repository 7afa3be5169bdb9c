"""The divergence triangle's tables: shapes, numbers of weights, widths, options, refusals."""

import importlib
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import random
from tfgen.errors import UserError
from tfgen.nets.families import (
    triangle_celeba64,
    triangle_cifar10,
    triangle_digits,
    triangle_mnist,
    triangle_texture,
)

SHAPES = {
    triangle_cifar10: (32, 32, 3),
    triangle_celeba64: (64, 64, 3),
    triangle_mnist: (28, 28, 1),
    triangle_digits: (8, 8, 1),
    triangle_texture: (224, 224, 3),
}
ROLES = ("energy", "generator", "inference")
FAST = (triangle_digits, triangle_texture)
"""Vectors and maps of latents: what follows from the tables' makers is asked of these alone."""


def cases(families):
    """Returns families as parameters, slow but for those of FAST."""
    return [
        pytest.param(
            family,
            id=family.__name__.rpartition(".")[2],
            marks=[] if family in FAST else [pytest.mark.slow],
        )
        for family in families
    ]


every_family = pytest.mark.parametrize("family", cases(SHAPES))
vector_families = pytest.mark.parametrize(
    "family", cases(family for family in SHAPES if family is not triangle_texture)
)
DIVISOR = {
    triangle_cifar10: 8,
    triangle_celeba64: 16,
    triangle_mnist: 4,
    triangle_digits: 2,
    triangle_texture: 32,
}


def count(net):
    """Numbers that are trained."""
    return sum(np.prod(w.shape) for w in net.trainable_variables)


def shapes(layers):
    """Of their kernels."""
    return [tuple(layer.kernel.shape) for layer in layers]


def strides(layers):
    """Sub-sampling and padding of layers."""
    return [(layer.strides, layer.padding) for layer in layers]


# the tables


def test_the_nets_for_cifar10_have_as_many_weights_as_the_released_ones():
    """Generator 7,641,219; inference 4,392,840; energy 1,709,761 with a bias on top."""
    found = {role: count(getattr(triangle_cifar10, role)((32, 32, 3))) for role in ROLES}
    assert found == {"generator": 7_641_219, "inference": 4_392_840, "energy": 1_709_761 - 1}


def test_the_generator_for_cifar10_is_table_v():
    net = triangle_cifar10.generator((32, 32, 3))
    assert shapes(net.stack) == [
        (4, 4, 512, 100),
        (4, 4, 512, 512),
        (4, 4, 256, 512),
        (4, 4, 128, 256),
        (3, 3, 3, 128),
    ]
    assert strides(net.stack) == [(1, 0), (2, 1), (2, 1), (2, 1), (1, 1)]
    assert len(net.norms) == 4


def test_the_energy_for_cifar10_is_table_v():
    net = triangle_cifar10.energy((32, 32, 3))
    assert shapes(net.convs) == [(3, 3, 3, 64), (4, 4, 64, 128), (4, 4, 128, 256), (4, 4, 256, 256)]
    assert strides(net.convs) == [(1, 1), (2, 1), (2, 1), (2, 1)]
    assert tuple(net.top.kernel.shape) == (4, 4, 256, 1)
    assert (net.activation, net.norms) == ("leaky_relu", [])


def test_the_inference_net_for_cifar10_is_table_v():
    net = triangle_cifar10.inference((32, 32, 3))
    assert shapes(net.convs) == [(3, 3, 3, 64), (4, 4, 64, 128), (4, 4, 128, 256), (4, 4, 256, 512)]
    assert strides(net.convs) == [(1, 1), (2, 1), (2, 1), (2, 1)]
    assert shapes([net.mean, net.log_var]) == [(4, 4, 512, 100)] * 2
    assert net.norms == []


def test_the_texture_nets_are_those_of_the_papers_section():
    """7x7 latents; 512, 512, 256, 128 up; 128, 256, 512, 512 down; 100 7x7, 70 7x7, 30 5x5."""
    net = triangle_texture.generator((224, 224, 3))
    assert net.latent_shape == (7, 7, 5)
    assert shapes(net.stack) == [
        (4, 4, 512, 5),
        (4, 4, 512, 512),
        (4, 4, 256, 512),
        (4, 4, 128, 256),
        (4, 4, 3, 128),
    ]
    assert strides(net.stack) == [(2, 1)] * 5
    net = triangle_texture.energy((224, 224, 3))
    assert shapes(net.convs) == [(7, 7, 3, 100), (7, 7, 100, 70), (5, 5, 70, 30)]
    assert [layer.strides for layer in net.convs] == [2, 2, 1]
    assert net.map_shapes((None, 224, 224, 3))[-1] == (None, 56, 56, 30)
    assert net.top is None
    net = triangle_texture.inference((224, 224, 3))
    assert shapes(net.convs) == [
        (4, 4, 3, 128),
        (4, 4, 128, 256),
        (4, 4, 256, 512),
        (4, 4, 512, 512),
    ]
    assert shapes([net.mean, net.log_var]) == [(4, 4, 512, 5)] * 2


@every_family
def test_the_file_shows_the_filters_that_its_nets_have(family):
    """Line by line of the table in its docstring: the numbers of filters of each column's nets."""
    rows = [
        line for line in family.__doc__.splitlines() if line.startswith("| ") and line[2].isdigit()
    ]
    columns = zip(*(line.strip("| ").split("|")[1:] for line in rows), strict=True)
    tabled = [
        [int(cell.split(",")[0]) for cell in column if cell.strip() != "-"] for column in columns
    ]
    shape = SHAPES[family]
    stack = family.generator(shape).stack[:-1]
    assert tabled == [
        [layer.filters for layer in stack],
        [layer.filters for layer in family.energy(shape).convs],
        [layer.filters for layer in family.inference(shape).convs],
    ]


@every_family
def test_weights_start_with_a_standard_deviation_of_a_fiftieth(family):
    """To 5 standard errors of 1,000 weights or more; 13 kernels fail with a probability of 8e-6."""
    keras.utils.set_random_seed(0)
    for role in ROLES:
        for weight in getattr(family, role)(SHAPES[family], width=0.5).trainable_variables:
            if weight.name == "kernel" and (n := np.prod(weight.shape)) > 1000:
                assert abs(np.std(weight.numpy()) / 0.02 - 1) < 5 / np.sqrt(2 * n)


@every_family
def test_biases_are_in_the_tops_alone_and_none_is_in_the_energys(family):
    shape = SHAPES[family]
    nets = {role: getattr(family, role)(shape, width=0.1) for role in ROLES}
    biased = {
        role: [w.path for w in net.trainable_variables if w.name == "bias"]
        for role, net in nets.items()
    }
    assert {role: len(paths) for role, paths in biased.items()} == {
        "energy": 0,
        "generator": 1,
        "inference": 2,
    }
    assert nets["generator"].stack[-1].use_bias
    assert nets["inference"].mean.use_bias
    assert nets["inference"].log_var.use_bias


def test_a_generator_without_batch_normalization_has_biases_instead():
    net = triangle_digits.generator((8, 8, 1), normalization="none")
    assert [layer.use_bias for layer in net.stack] == [True] * 3
    assert net.non_trainable_variables == []


# options


@every_family
def test_width_is_a_factor_on_all_filters_but_the_channels_and_the_latents(family):
    shape = SHAPES[family]
    whole, half = (
        {role: getattr(family, role)(shape, width=width) for role in ROLES} for width in (1.0, 0.5)
    )
    for role, layers in (("generator", "stack"), ("energy", "convs"), ("inference", "convs")):
        pairs = zip(getattr(whole[role], layers), getattr(half[role], layers), strict=True)
        ratios = [small.filters / large.filters for large, small in pairs]
        assert ratios == [0.5] * (len(ratios) - 1) + [1.0 if role == "generator" else 0.5]
    assert half["inference"].mean.filters == whole["inference"].mean.filters


@every_family
def test_latent_dim_is_the_size_of_z(family):
    shape = (32, 32, 1)
    generator = family.generator(shape, width=0.1, latent_dim=3)
    mean, log_var = family.inference(shape, width=0.1, latent_dim=3)(tf.zeros([2, *shape]))
    assert generator.latent_shape[-1] == 3
    assert mean.shape == log_var.shape == (2, *generator.latent_shape)


@vector_families
def test_outputs_are_an_energy_each(family):
    net = family.energy((16, 16, 1), width=0.1, outputs=4)
    assert net(random.normal([3, 16, 16, 1], random.root(0))).shape == (3, 4)


@every_family
@pytest.mark.parametrize("option", ["batch_norm", "spectral_norm"])
def test_normalizations_are_given_to_every_layer_but_the_first_or_to_all(family, option):
    net = family.energy((32, 32, 1), width=0.1, **{option: True})
    assert len(net.norms) == (len(net.convs) - 1 if option == "batch_norm" else 0)
    assert all(
        conv.spectral_norm == (option == "spectral_norm") for conv in [*net.convs, *net.tops]
    )
    x = random.normal([4, 32, 32, 1], random.root(0))
    assert np.isfinite(net(x, training=True)).all()


# sizes


@every_family
def test_generators_make_images_of_any_size_that_their_sub_sampling_divides(family):
    step = DIVISOR[family]
    for height, width in ((step, step), (2 * step, 3 * step)):
        net = family.generator((height, width, 2), width=0.1)
        assert net(tf.zeros([1, *net.latent_shape])).shape == (1, height, width, 2)


@every_family
@pytest.mark.parametrize("beyond", [(0, 1), (1, 0)])
def test_generators_refuse_other_sizes_and_say_what_they_can_make(family, beyond):
    step = DIVISOR[family]
    height, width = (2 * step + more for more in beyond)
    with pytest.raises(
        UserError, match=f"image_size.*makes, {2 * step}x{2 * step}x3, and found {height}x{width}x3"
    ):
        family.generator((height, width, 3), width=0.1)


@every_family
@pytest.mark.parametrize("role", ROLES)
def test_images_too_small_are_refused(family, role):
    """Smaller than the sub-sampling; the texture energy's padding gives even one pixel a map."""
    if (family, role) == (triangle_texture, "energy"):
        return
    for side in {1, DIVISOR[family] // 2, DIVISOR[family] - 1}:
        with pytest.raises(UserError, match="image_size: expected"):
            getattr(family, role)((side, side, 3), width=0.1)


def test_a_larger_map_of_latents_gives_a_larger_texture():
    """Far from the border, equal latents give equal pixels, which makes a texture extensible."""
    net = triangle_texture.generator((64, 64, 3), width=0.1)
    assert net.any_size
    z = random.normal([1, 8, 4, 5], random.root(0))
    large, part = net(z, training=False), net(z[:, 1:], training=False)
    assert large.shape == (1, 256, 128, 3)
    np.testing.assert_allclose(large[:, 128:], part[:, 96:], atol=1e-6)
    assert not np.allclose(
        large[:, 32:64], part[:, :32], atol=1e-4 * np.abs(large).max()
    )  # the border is seen


def test_texture_energies_and_inference_nets_take_images_of_any_size():
    energy = triangle_texture.energy((64, 64, 3), width=0.1)
    assert energy.any_size
    assert energy(tf.zeros([2, 96, 64, 3])).shape == (2,)
    mean, _ = triangle_texture.inference((64, 64, 3), width=0.1)(tf.zeros([2, 96, 64, 3]))
    assert mean.shape == (2, 3, 2, 5)


@vector_families
def test_other_generators_make_images_of_one_size(family):
    assert not family.generator((16, 16, 3), width=0.1).any_size
    assert not family.energy((16, 16, 3), width=0.1).any_size


def test_a_texture_energy_of_several_outputs_is_refused():
    with pytest.raises(
        UserError, match="outputs: expected 1, since the score is a sum of maps, and found 2"
    ):
        triangle_texture.energy((64, 64, 3), outputs=2)


@every_family
@pytest.mark.parametrize("role", ["generator", "inference"])
@pytest.mark.parametrize("latent_dim", [0, -1])
def test_latents_of_no_numbers_are_refused(family, role, latent_dim):
    with pytest.raises(UserError, match=f"latent_dim: expected at least 1 and found {latent_dim}"):
        getattr(family, role)((32, 32, 3), width=0.1, latent_dim=latent_dim)


@every_family
@pytest.mark.parametrize("role", ROLES)
def test_a_width_that_leaves_a_layer_empty_is_refused(family, role):
    with pytest.raises(UserError, match="at least one filter in every layer and found 0"):
        getattr(family, role)((32, 32, 3), width=0.001)


@every_family
def test_all_three_nets_take_a_width_and_a_normalization(family):
    wanted = {"energy": "batch_norm", "generator": "normalization", "inference": "batch_norm"}
    for role, name in wanted.items():
        function = getattr(importlib.import_module(family.__name__), role)
        assert {"width", name} <= set(inspect.signature(function).parameters)
