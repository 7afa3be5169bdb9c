"""Terms of the papers' objectives, one small function each: scalars in nats per example."""

import math

import tensorflow as tf
from jaxtyping import Float

from tfgen import energies, random
from tfgen.types import Energy, EnergyFn, Image, Label, Latent, Loss, Mask, Seed


def energy_difference(
    data: Float[tf.Tensor, "b"], samples: Float[tf.Tensor, "m"], weights: tf.Tensor | float = 1.0
) -> Loss:
    """Computes the mean energy of the data minus the mean energy of the model's samples.

    Its gradient in the weights, with the samples held fixed, is minus that of the log-likelihood
    when the samples follow the model. It is the contrastive divergence gradient when they come from
    a few steps off the data.

    Args:
        data: [b], energies of observed images.
        samples: [m], energies of synthesized images.
        weights: of the synthesized images, [m] with mean 1, or 1.

    Returns:
        A scalar.

    Source: A Theory of Generative ConvNet, equation 21.
    """
    return tf.reduce_mean(data) - tf.reduce_mean(weights * samples)


def cross_entropy(logits: Float[tf.Tensor, "b classes"], label: Label) -> Loss:
    """Computes -log p(label | image), averaged over the batch.

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


def reconstruction(image: Image, mean: Image) -> Loss:
    """Computes |I - B|² / 2, averaged over the batch.

    Args:
        image: [b, h, w, c].
        mean: its reconstruction, [b, h, w, c].

    Returns:
        A scalar.

    Source: A Theory of Generative ConvNet, equation 23.
    """
    return tf.reduce_mean(_sum((image - mean) ** 2)) / 2


def log_normal(x: tf.Tensor, mean: tf.Tensor | float, log_var: tf.Tensor | float) -> Energy:
    """Computes log N(x; mean, diag exp(log_var)) of each example, in nats.

    Args:
        x: [b, ...].
        mean: as x, or a number.
        log_var: the log-variance, as x, or a number.

    Returns:
        [b].
    """
    # a collapsed variance must not make the quadratic term infinite; the number is that of the
    # triangle's released script
    quadratic = (x - mean) ** 2 / (tf.exp(log_var) + 1e-6)
    # zeros of x's shape: a log-variance that is a number counts once for each dimension
    return -_sum(quadratic + log_var + math.log(2 * math.pi) + tf.zeros_like(x)) / 2


def logistic(data: Float[tf.Tensor, "b"], samples: Float[tf.Tensor, "m"]) -> Loss:
    """Computes the cross-entropy of a classifier that tells images from samples.

    Both count as equally frequent, so that it is ln 2 where the classifier cannot tell.

    Args:
        data: [b], log-odds ln q(+1|x) - ln q(-1|x) of images.
        samples: [m], log-odds of samples.

    Returns:
        A scalar.

    Source: INNg, section 3.2.1.
    """
    # softplus(-f) is -ln q(+1|x), and softplus(f) is -ln q(-1|x)
    missed = tf.reduce_mean(tf.nn.softplus(-data))
    fooled = tf.reduce_mean(tf.nn.softplus(samples))
    return (missed + fooled) / 2


def kl_to_prior(mean: Latent, log_var: Latent) -> Loss:
    """Computes KL(N(mean, diag exp(log_var)) ‖ N(0, 1)), averaged over the batch.

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
    mean: Latent,
    log_var: Latent,
    sigma: float,
    mask: Mask | None = None,
) -> Loss:
    """Computes KL(Q‖P) + H(q_data): minus the evidence lower bound, the VAE's objective.

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
    return kl_to_prior(mean, log_var) + conditional_nll(image, decoded, sigma, mask)


def conditional_nll(image: Image, decoded: Image, sigma: float, mask: Mask | None = None) -> Loss:
    """Computes -log p(x|z) of p(x|z) = N(g(z), sigma²), averaged over the batch.

    Under Q it bounds the conditional entropy H(x|z) from above.

    Args:
        image: [b, h, w, c].
        decoded: g(z), as image.
        sigma: standard deviation in pixel units, positive.
        mask: [b, h, w, 1], 1 where a pixel counts; None counts all.

    Returns:
        A scalar.

    Source: Li et al., ALICE, 2017, section 3.1.
    """
    error = (image - decoded) ** 2 / sigma**2 + math.log(2 * math.pi * sigma**2)
    return tf.reduce_mean(_sum(error if mask is None else mask * error)) / 2


def kl_p_q(latent: Latent, mean: Latent, log_var: Latent) -> Loss:
    """Computes KL(P‖Q) up to a constant in q: -log q(z|x) of generated images, the sleep phase.

    Args:
        latent: z of the prior, [b, ...].
        mean: of q(z|g(z)), as latent.
        log_var: as mean.

    Returns:
        A scalar.

    Source: Divergence triangle, section 2.2.1 (wake-sleep).
    """
    return -tf.reduce_mean(log_normal(latent, mean, log_var))


def kl_p_pi(energy: Energy, latent: Latent, mean: Latent, log_var: Latent) -> Loss:
    """Computes KL(P‖Π) - log Z + H(z) + H(x|z).

    It is the energy of generated images minus the bound of their entropy.

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


def kl_q_pi(energy: Energy) -> Loss:
    """Computes KL(Q‖Π) - log Z + H(q_data): the energy of observed images, since q(z|x) cancels.

    Args:
        energy: [b].

    Returns:
        A scalar.

    Source: Divergence triangle, below equation 14.
    """
    return tf.reduce_mean(energy)


def gradient_penalty(gradient: Image) -> Loss:
    """Computes |dU/dx|² / 2, averaged over the batch: the zero-centred gradient penalty.

    Args:
        gradient: of the energy at some images, [b, h, w, c].

    Returns:
        A scalar.
    """
    return tf.reduce_mean(_sum(gradient**2)) / 2


def energy_squares(data: Energy, samples: Energy) -> Loss:
    """Computes the mean of U² at images plus that at samples, which keeps energies small.

    Args:
        data: [b], energies of images.
        samples: [m], energies of samples.

    Returns:
        A scalar.

    Source: Dai et al., Calibrating energy-based GANs, 2017, their released code.
    """
    return tf.reduce_mean(data**2) + tf.reduce_mean(samples**2)


def interpolated_gradient_penalty(critic: EnergyFn, real: Image, fake: Image, seed: Seed) -> Loss:
    """Computes (|dD/dx| - 1)² at points between pairs, averaged: the one-centred gradient penalty.

    It keeps the slope of a Wasserstein critic near 1. Each pair has one point, drawn uniformly from
    the straight line between its images. The usual weight is 10.

    Args:
        critic: D, images to one number each; of either sign.
        real: observed images, [b, h, w, c].
        fake: generated images, as real; held fixed.
        seed: of the points.

    Returns:
        A scalar.

    Source: Gulrajani et al., Improved training of Wasserstein GANs, 2017, equation 3.
    """
    places = random.uniform([tf.shape(real)[0]] + [1] * (real.shape.rank - 1), seed)
    between = tf.stop_gradient(real + places * (fake - real))
    _, gradient = energies.value_and_grad(critic, between)
    return tf.reduce_mean((energies.norm(gradient) - 1) ** 2)


def mean_squared_error(image: Image, decoded: Image, mask: Mask | None = None) -> Loss:
    """Computes the mean squared error per pixel and channel, over the pixels that count.

    Args:
        image: [b, h, w, c].
        decoded: as image.
        mask: [b, h, w, 1], 1 where a pixel counts; None counts all.

    Returns:
        A scalar.
    """
    # the mask has one channel; spread over all of them, its sum counts pixels and channels
    weight = tf.ones_like(image) if mask is None else mask + tf.zeros_like(image)
    error = tf.reduce_sum(weight * (image - decoded) ** 2)
    return error / tf.maximum(tf.reduce_sum(weight), 1.0)


def _sum(x: tf.Tensor) -> tf.Tensor:
    """Sums each example, [b, ...] to [b]."""
    return tf.reduce_sum(x, axis=list(range(1, x.shape.rank)))
