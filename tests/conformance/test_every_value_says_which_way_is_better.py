"""Every value of every measurement is better when higher, when lower, or no quality at all."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from support import command_line

from tfgen import random
from tfgen.algorithms.classifier import Classifier
from tfgen.algorithms.divergence_triangle import DivergenceTriangle
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.data import masks
from tfgen.data.examples import Examples, Images
from tfgen.evaluation import generation
from tfgen.evaluation.base import HIGHER, LOWER, NEITHER
from tfgen.nets.families import (
    convnet_classifier,
    generative_convnet_digits,
    generative_convnet_dynamic,
    generative_convnet_texture,
    prototype,
    triangle_digits,
)
from trainers import evaluate

pytestmark = pytest.mark.eager

SHAPE = (8, 8, 1)
POINT = (1, 1, 2)
TEXTURE = (32, 32, 1)
CLIP = (6, 8, 8, 1)


def data(shape, count=12, picture=None):
    """Returns labelled noise; half of each training image is missing."""
    rng = np.random.default_rng(0)
    image = np.tanh(rng.normal(size=(count, *(picture or shape)))).astype(np.float32)
    mask = masks.parse("P.5", image.shape[:-1], random.root(0)).numpy() > 0
    label = np.arange(count) % 2
    return Images(Examples(image, label, mask=mask), Examples(image, label), shape, count)


def energy(shape, family, **options):
    """Returns an energy model with a net of the family."""
    keras.utils.set_random_seed(0)
    net = family.energy(shape, **options)
    mean = [0.0] * shape[-1]
    given = {"chains": 4, "sigma": 0.5, "step_size": 0.1, "sample_steps": 1}
    return GenerativeConvNet(net, image_shape=shape, image_mean=mean, **given).model


@functools.cache
def digits(outputs=1):
    """Returns an energy model of digits, or one with an energy for each class."""
    return energy(SHAPE, generative_convnet_digits, width=0.1, outputs=outputs)


@functools.cache
def triangle():
    """Returns a model with an energy, a generator and an inference net."""
    keras.utils.set_random_seed(0)
    roles = ("energy", "generator", "inference")
    nets = [getattr(triangle_digits, role)(SHAPE, width=0.125) for role in roles]
    return DivergenceTriangle(*nets, image_shape=SHAPE).model


@functools.cache
def texture():
    """Returns an energy model of images of any size."""
    return energy(TEXTURE, generative_convnet_texture, width=0.05)


@functools.cache
def classifier():
    """Returns a classifier with features."""
    keras.utils.set_random_seed(0)
    net = convnet_classifier.classifier(SHAPE, width=0.125, outputs=2)
    return Classifier(net, image_shape=SHAPE).model


@functools.cache
def clips():
    """Returns an energy model of clips."""
    return energy(CLIP, generative_convnet_dynamic, width=0.2)


def plane():
    """Returns an energy model of points."""
    return energy(POINT, prototype, filters=3)


DIGITS = data(SHAPE)
PATCHES = data(TEXTURE, count=1, picture=(64, 64, 1))
GENERATED = {"num_images": 8, "split": "train"}
CASES = {
    "accuracy": (lambda: digits(2), DIGITS, {"chains": 2, "temperatures": 2}),
    "dynamics": (clips, data(CLIP, count=3), {"num_samples": 2, "states": 3}),
    "completion": (digits, DIGITS, {"num_completions": 2}),
    "fid": (triangle, DIGITS, GENERATED),
    "importance_bound": (triangle, DIGITS, {"samples": 3}),
    "inception_score": (triangle, DIGITS, {"num_images": 8, "splits": 2}),
    "kid": (triangle, DIGITS, {**GENERATED, "subset_size": 4, "num_subsets": 2}),
    "landscape": (digits, DIGITS, {"descent_steps": 2, "band_steps": 2, "points": 3}),
    "likelihood": (digits, DIGITS, {"chains": 2, "temperatures": 2, "most_temperatures": 2}),
    "linear_svm": (classifier, DIGITS, {"labels": 4, "draws": 2, "validation": 4}),
    "local_modes": (plane, data(POINT), {"num_steps": 500}),
    "mixing": (digits, DIGITS, {"chains": 2, "num_steps": 1}),
    "outliers": (digits, DIGITS, {"datasets": "digits", "num_images": 4, "hard": True}),
    "pieces": (plane, data(POINT), {"chains": 10, "num_steps": 10, "cells": 40}),
    "precision_recall": (triangle, DIGITS, GENERATED),
    "reconstruction": (digits, DIGITS, {}),
    "recovery": (triangle, DIGITS, {}),
    "seams": (texture, PATCHES, {"size": 40, "period": 20}),
    "sliced_wasserstein": (texture, PATCHES, {"levels": 2, "patches": 50, "projections": 4}),
    "texture_statistics": (texture, PATCHES, {"scales": 2}),
}
"""A model, data and a quick protocol for each measurement."""

LONG = ("mixing",)
"""Measurements of so many steps that they take longer eagerly than as graphs."""


class Pixels:
    """Features that need no file: the pixels, and two class probabilities."""

    name, hash = "pixels", "0"

    def __init__(self, path):
        del path

    def __call__(self, images):
        flat = images.reshape(len(images), -1)
        share = 1 / (1 + np.exp(-flat.sum(axis=1)))
        return flat, np.stack([share, 1 - share], axis=1)

    def adaptation(self, shape):
        del shape
        return "none"


def test_every_measurement_is_asked():
    assert set(CASES) == set(evaluate.measurements())


@pytest.mark.parametrize("name", CASES)
def test_every_value_has_a_direction(name, monkeypatch):
    monkeypatch.setattr(generation, "Features", Pixels)
    build, images, protocol = CASES[name]
    evaluator = evaluate.measurements()[name](build(), images, **protocol)
    with command_line.eagerly(tf.config.functions_run_eagerly() and name not in LONG):
        found = dict(evaluator.run())
    assert found
    for value, number in found.items():
        assert np.isfinite(number), value
        assert evaluator.direction(value) in (HIGHER, LOWER, NEITHER), value


@pytest.mark.parametrize("name", CASES)
def test_directions_are_three(name):
    assert set(evaluate.measurements()[name].better.values()) <= {HIGHER, LOWER, NEITHER}


@pytest.mark.parametrize("name", CASES)
def test_a_model_that_lacks_what_is_needed_is_refused_in_one_sentence(name):
    """This is asked of a classifier, and of a model with an energy alone."""
    cls = evaluate.measurements()[name]
    _, images, protocol = CASES[name]
    lacking = [model for model in (classifier(), digits()) if cls.needs - model.capabilities()]
    assert lacking or not cls.needs
    for model in lacking:
        with pytest.raises(ValueError, match=f"^{name}: expected a model with the task") as caught:
            cls(model, images, **protocol)
        assert "\n" not in str(caught.value)
