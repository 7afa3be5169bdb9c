"""Tiny untrained models of 8x8 images, each built once, and noise to measure them on."""

import functools

import keras
import numpy as np

from tfgen.algorithms.classifier import Classifier
from tfgen.algorithms.generative_convnet import GenerativeConvNet
from tfgen.algorithms.vae import VAE
from tfgen.data.examples import Examples, Images
from tfgen.nets.families import convnet_classifier, generative_convnet_digits, triangle_digits

SHAPE = (8, 8, 1)


def pictures(count, seed):
    """Returns noise with labels of two classes."""
    rng = np.random.default_rng(seed)
    image = rng.uniform(-1, 1, (count, *SHAPE)).astype(np.float32)
    return Examples(image, rng.integers(0, 2, count))


DATA = Images(pictures(150, 0), pictures(110, 1), SHAPE, 150)


@functools.cache
def vae():
    """Returns a generator with no steps to sample, and without an energy."""
    keras.utils.set_random_seed(0)
    roles = triangle_digits.generator, triangle_digits.inference
    nets = [role(SHAPE, width=0.125, latent_dim=2) for role in roles]
    return VAE(*nets, image_shape=SHAPE).model


@functools.cache
def energy(outputs=1, scale=1.0):
    """Returns an energy, or one for each class, whose weights are multiplied by a factor."""
    keras.utils.set_random_seed(0)
    net = generative_convnet_digits.energy(SHAPE, width=0.1, outputs=outputs)
    for weight in net.weights:
        weight.assign(scale * weight.value)
    algorithm = GenerativeConvNet(
        net, image_shape=SHAPE, image_mean=[0.0], sigma=0.5, chains=4, step_size=0.1, sample_steps=3
    )
    return algorithm.model


@functools.cache
def classifier():
    """Returns a classifier of two classes."""
    keras.utils.set_random_seed(0)
    net = convnet_classifier.classifier(SHAPE, width=0.125, outputs=2)
    return Classifier(net, image_shape=SHAPE).model
