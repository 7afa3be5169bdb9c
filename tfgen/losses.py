"""The terms of the papers' objectives, one small function each: scalars in nats per example."""

import tensorflow as tf

from tfgen.types import Energy, Image, Label


def energy_difference(data: Energy, samples: Energy, weights: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Mean energy of the data minus mean energy of the model's samples.

    Its gradient in the weights, samples held fixed, is minus that of the log-likelihood when the samples
    follow the model, and the contrastive divergence gradient when they come from a few steps off the data.

    Args:
        data: [b], energies of observed images.
        samples: [m], energies of synthesized images.
        weights: of the synthesized images, [m] with mean 1, or 1.

    Returns:
        A scalar.

    Source: A Theory of Generative ConvNet, equation 21.
    """
    return tf.reduce_mean(data) - tf.reduce_mean(weights * samples)


def cross_entropy(logits: tf.Tensor, label: Label) -> tf.Tensor:
    """-log p(label | image), averaged over the batch.

    Args:
        logits: [b, classes], f_c + b_c.
        label: int [b].

    Returns:
        A scalar.

    Source: A Theory of Generative ConvNet, Definition 1 (equation 3).
    """
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits))


def reconstruction(image: Image, mean: Image) -> tf.Tensor:
    """|I - B|^2 / 2, averaged over the batch.

    Args:
        image: [b, h, w, c].
        mean: its reconstruction, [b, h, w, c].

    Returns:
        A scalar.

    Source: A Theory of Generative ConvNet, equation 23.
    """
    return tf.reduce_mean(tf.reduce_sum((image - mean) ** 2, axis=[1, 2, 3])) / 2
