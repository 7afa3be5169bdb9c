"""Adapters that let a user's own `keras.Model` play a role.

Each function returns a net that has the role already as it is. It wraps any other, after a trial on
a batch of two zeros. A wrapped net computes and trains as before. Its wrapper squeezes and casts
the outputs, knows their shapes, and is saved and loaded together with it.

Example:
    >>> net = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    >>> energy = as_energy(net, image_shape=(28, 28, 1))
    >>> energy(images)  # float32 [b]
"""

import keras

from tfgen.nets.architectures.adapted import (
    AdaptedClassifier,
    AdaptedDiscriminator,
    AdaptedEnergy,
    AdaptedGenerator,
    AdaptedInference,
    AdaptedJointDiscriminator,
)
from tfgen.nets.architectures.roles import (
    ClassifierNet,
    DiscriminatorNet,
    EnergyNet,
    GeneratorNet,
    InferenceNet,
    JointDiscriminatorNet,
    Net,
    Size,
)


def as_energy(net: keras.Model, image_shape: Size) -> EnergyNet:
    """Returns a net in the role of an energy.

    Args:
        net: images [b, h, w, c] to energies [b], [b, 1] or [b, classes].
        image_shape: height, width, channels.

    Raises:
        UserError: if the net does not take such images, or returns something else.
    """
    return net if _is(net, EnergyNet) else AdaptedEnergy(net, image_shape)


def as_generator(
    net: keras.Model, image_shape: Size, latent_shape: tuple[int, ...] | None = None
) -> GeneratorNet:
    """Returns a net in the role of a generator.

    Args:
        net: latents [b, *latent_shape] to images [b, h, w, c] in [-1, 1].
        image_shape: height, width, channels.
        latent_shape: of one example; None takes what the net declares as its `input_shape`, as a
            functional model does.

    Raises:
        UserError: if the net does not take such latents, or returns something else.
    """
    if _is(net, GeneratorNet):
        return net
    return AdaptedGenerator(net, image_shape, latent_shape)


def as_inference(net: keras.Model, image_shape: Size) -> InferenceNet:
    """Returns a net in the role of an inference net.

    Args:
        net: images [b, h, w, c] to a mean and a log-variance, [b, *latent_shape] each.
        image_shape: height, width, channels.

    Raises:
        UserError: if the net does not take such images, or returns something else.
    """
    return net if _is(net, InferenceNet) else AdaptedInference(net, image_shape)


def as_discriminator(net: keras.Model, image_shape: Size) -> DiscriminatorNet:
    """Returns a net in the role of a discriminator.

    Args:
        net: images [b, h, w, c] to log-odds of being an image, not a sample, [b] or [b, 1].
        image_shape: height, width, channels.

    Raises:
        UserError: if the net does not take such images, or returns something else.
    """
    return net if _is(net, DiscriminatorNet) else AdaptedDiscriminator(net, image_shape)


def as_joint_discriminator(
    net: keras.Model, image_shape: Size, latent_shape: tuple[int, ...]
) -> JointDiscriminatorNet:
    """Returns a net in the role of a joint discriminator.

    Args:
        net: a pair, images [b, h, w, c] and latents [b, *latent_shape], to log-odds of the latents
            being inferred from an image of the data, [b] or [b, 1].
        image_shape: height, width, channels.
        latent_shape: of the latents of one image.

    Raises:
        UserError: if the net does not take such pairs, or returns something else.
    """
    if _is(net, JointDiscriminatorNet):
        return net
    return AdaptedJointDiscriminator(net, image_shape, latent_shape)


def as_classifier(net: keras.Model, image_shape: Size) -> ClassifierNet:
    """Returns a net in the role of a classifier.

    Args:
        net: images [b, h, w, c] to logits [b, classes].
        image_shape: height, width, channels.

    Raises:
        UserError: if the net does not take such images, or returns something else.
    """
    return net if _is(net, ClassifierNet) else AdaptedClassifier(net, image_shape)


def _is(net: keras.Model, role: type[Net]) -> bool:
    """Says whether a net needs no adapter; the one place that asks for a net's class."""
    return isinstance(net, role)
