"""The terms of the papers' objectives, one small function each: scalars in nats per example."""

import math

import tensorflow as tf

from tfgen.types import Energy, Image, Label, Mask


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
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)
    )


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


def log_normal(x: tf.Tensor, mean: tf.Tensor | float, log_var: tf.Tensor | float) -> tf.Tensor:
    """log N(x; mean, diag exp(log_var)) of each example, in nats.

    Args:
        x: [b, ...].
        mean: as x, or a number.
        log_var: as x, or a number.

    Returns:
        [b].
    """
    # the released triangle script's 1e-6 keeps a collapsed variance from making the quadratic term infinite
    quadratic = (x - mean) ** 2 / (tf.exp(log_var) + 1e-6)
    return -_sum(quadratic + log_var + math.log(2 * math.pi) + tf.zeros_like(x)) / 2


def logistic(data: tf.Tensor, samples: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of a classifier that tells images from samples, met equally often: ln 2 where it cannot.

    Args:
        data: [b], log-odds ln q(+1|x) - ln q(-1|x) of images.
        samples: [m], log-odds of samples.

    Returns:
        A scalar.

    Source: INNg, section 3.2.1.
    """
    return (tf.reduce_mean(tf.nn.softplus(-data)) + tf.reduce_mean(tf.nn.softplus(samples))) / 2


def kl_to_prior(mean: tf.Tensor, log_var: tf.Tensor) -> tf.Tensor:
    """KL(N(mean, diag exp(log_var)) ‖ N(0, 1)), averaged over the batch.

    Args:
        mean: [b, ...].
        log_var: as mean.

    Returns:
        A scalar.
    """
    return tf.reduce_mean(_sum(mean**2 + tf.exp(log_var) - log_var - 1)) / 2


def kl_q_p(
    image: Image,
    decoded: Image,
    mean: tf.Tensor,
    log_var: tf.Tensor,
    sigma: float,
    mask: Mask | None = None,
) -> tf.Tensor:
    """KL(Q‖P) + H(q_data): minus the evidence lower bound, the objective of the VAE.

    Args:
        image: [b, h, w, c], of q_data.
        decoded: g(z) with z from q(z|x), as image.
        mean: of q(z|x), [b, ...].
        log_var: of q(z|x), as mean.
        sigma: standard deviation of p(x|z) in pixel units, positive.
        mask: [b, h, w, 1], 1 where a pixel counts; None counts all.

    Returns:
        A scalar.

    Source: Divergence triangle, section 2.2.1.
    """
    error = (image - decoded) ** 2 / sigma**2 + math.log(2 * math.pi * sigma**2)
    return (
        kl_to_prior(mean, log_var)
        + tf.reduce_mean(_sum(error if mask is None else mask * error)) / 2
    )


def kl_p_q(latent: tf.Tensor, mean: tf.Tensor, log_var: tf.Tensor) -> tf.Tensor:
    """KL(P‖Q) up to a constant in q: -log q(z|x), of dreams x = g(z); the sleep phase.

    Args:
        latent: z of the prior, [b, ...].
        mean: of q(z|g(z)), as latent.
        log_var: as mean.

    Returns:
        A scalar.

    Source: Divergence triangle, section 2.2.1 (wake-sleep).
    """
    return -tf.reduce_mean(log_normal(latent, mean, log_var))


def kl_p_pi(energy: Energy, latent: tf.Tensor, mean: tf.Tensor, log_var: tf.Tensor) -> tf.Tensor:
    """KL(P‖Π) - log Z + H(z) + H(x|z): the energy of generated images minus the bound of their entropy.

    Args:
        energy: [b], of x = g(z).
        latent: z of the prior, [b, ...].
        mean: of q(z|g(z)), as latent.
        log_var: as mean.

    Returns:
        A scalar.

    Source: Divergence triangle, equation 19.
    """
    return tf.reduce_mean(energy) + kl_p_q(latent, mean, log_var)


def kl_q_pi(energy: Energy) -> tf.Tensor:
    """KL(Q‖Π) - log Z + H(q_data): the energy of observed images; q(z|x) cancels.

    Args:
        energy: [b].

    Returns:
        A scalar.

    Source: Divergence triangle, below equation 14.
    """
    return tf.reduce_mean(energy)


def gradient_penalty(gradient: Image) -> tf.Tensor:
    """|dU/dx|² / 2, averaged over the batch.

    Args:
        gradient: of the energy at some images, [b, h, w, c].

    Returns:
        A scalar.
    """
    return tf.reduce_mean(_sum(gradient**2)) / 2


def mean_squared_error(image: Image, decoded: Image, mask: Mask | None = None) -> tf.Tensor:
    """Per pixel and channel, over the pixels that count.

    Args:
        image: [b, h, w, c].
        decoded: as image.
        mask: [b, h, w, 1], 1 where a pixel counts; None counts all.

    Returns:
        A scalar.
    """
    weight = tf.ones_like(image) if mask is None else mask + tf.zeros_like(image)
    return tf.reduce_sum(weight * (image - decoded) ** 2) / tf.maximum(tf.reduce_sum(weight), 1.0)


def _sum(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(x, axis=list(range(1, x.shape.rank)))
