"""Nets of clips: their shapes, longer clips, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.errors import UserError
from tfgen.nets.families import (
    generative_convnet_dynamic,
    triangle_celeba64,
    triangle_cifar10,
    triangle_dynamic,
)

SHAPE = (16, 16, 16, 3)


def clips(length, count=2, side=16):
    shape = (count, length, side, side, 3)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def test_the_papers_clips_have_two_places_of_ten_latents():
    shape = (32, 64, 64, 3)
    generator = triangle_dynamic.generator(shape, width=0.02)
    inference = triangle_dynamic.inference(shape, width=0.02)
    assert generator.latent_shape == inference.latent_shape == (2, 1, 1, 10)
    assert generator(tf.zeros((1, 2, 1, 1, 10))).shape == (1, *shape)


def test_generators_make_longer_clips_of_more_latents():
    net = triangle_dynamic.generator(SHAPE, width=0.05)
    assert net.free_sides == 1 and not net.any_size
    assert net(tf.zeros((2, 3, 1, 1, 10))).shape == (2, 48, 16, 16, 3)


def test_inference_nets_see_longer_clips():
    mean, log_var = triangle_dynamic.inference(SHAPE, width=0.05)(clips(48))
    assert mean.shape == log_var.shape == (2, 3, 1, 1, 10)


@pytest.mark.parametrize("family", [triangle_dynamic, generative_convnet_dynamic])
def test_energies_see_clips_of_any_length_and_one_size(family):
    net = family.energy(SHAPE, width=0.2)
    assert net.free_sides == 1
    net.check_size(24, 16, 16)
    with pytest.raises(UserError, match="16x16x16"):
        net.check_size(24, 20, 16)
    for length in (16, 24):
        assert net(clips(length)).shape == (2,)


def test_stationary_energies_see_clips_of_any_size():
    net = generative_convnet_dynamic.energy((32, 32, 32, 3), width=0.1, stationary=True)
    assert net.free_sides == 3
    net.check_size(40, 36, 48)
    assert net(clips(40, side=36)).shape == (2,)


def test_the_tables_are_the_authors(monkeypatch):
    """The 226 million weights are zeros here: to draw them takes seconds."""
    monkeypatch.setattr(
        keras.initializers.RandomNormal, "__call__", lambda _, shape, dtype: tf.zeros(shape, dtype)
    )
    net = generative_convnet_dynamic.energy((70, 224, 224, 3))
    # of the code's net for 100 pixels a side: filters, sides, strides in time
    assert [conv.filters for conv in net.convs] == [120, 30, 5]
    assert [conv.kernel_size for conv in net.convs] == [(7, 7), (112, 112), (1, 1)]
    assert [conv.time.size for conv in net.convs] == [7, 5, 2]


@pytest.mark.parametrize(
    "build",
    [
        triangle_dynamic.energy,
        triangle_dynamic.generator,
        triangle_dynamic.inference,
        generative_convnet_dynamic.energy,
    ],
)
def test_images_are_refused(build):
    with pytest.raises(UserError, match="expected clips for these nets and found images"):
        build((32, 32, 3))


@pytest.mark.parametrize(
    "build",
    [triangle_cifar10.energy, triangle_cifar10.inference, triangle_celeba64.generator],
)
def test_nets_of_images_refuse_clips(build):
    with pytest.raises(UserError, match="expected images for these nets and found clips"):
        build((16, 32, 32, 3))


def test_short_clips_are_refused():
    with pytest.raises(UserError, match="image_size"):
        triangle_dynamic.energy((1, 32, 32, 3))


def test_areas_of_maps_count_frames():
    net = triangle_dynamic.energy(SHAPE, width=0.1)
    assert net.map_area(net.convs[0].kernel, SHAPE) == 8 * 8 * 8
