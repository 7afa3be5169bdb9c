"""Completion of images by decoding latents that are inferred from what is known."""

from collections.abc import Callable

import tensorflow as tf

from tfgen import portability
from tfgen.types import Image, Latent, Mask

Decode = Callable[[Latent], Image]
Infer = Callable[[Image, int], Latent]
"""Returns latents of images as they are filled so far, given the round's number from 0."""


def filled(decode: Decode, infer: Infer, image: Image, mask: Mask, *, rounds: int) -> Image:
    """Returns images whose missing pixels were decoded and inferred from in turn.

    Args:
        decode: the generator.
        infer: how latents are inferred; the missing pixels are zeros at first.
        image: [b, h, w, c]; what stands at missing pixels does not matter.
        mask: [b, h, w, 1], 1 where a pixel is known.
        rounds: how often, at least 1.

    Returns:
        [b, h, w, c], in [-1, 1] where it was missing.
    """
    x = mask * image  # zeros at first, the middle of [-1, 1]
    for number in range(rounds):
        x = refilled(decode, infer(x, number), x, mask)
    return x


def refilled(decode: Decode, latent: Latent, image: Image, mask: Mask) -> Image:
    """Returns images whose missing pixels are as latents are decoded: one round of `filled`."""
    return mask * image + (1 - mask) * portability.clip(decode(latent), -1.0, 1.0)


def mean_and_spread(several: tf.Tensor, image: Image, mask: Mask) -> tuple[Image, tf.Tensor]:
    """Returns the mean of several completions of each image, and how far they differ.

    Args:
        several: [b, draws, h, w, c].
        image: [b, h, w, c], what was completed.
        mask: [b, h, w, 1], 1 where a pixel is known.

    Returns:
        The mean [b, h, w, c], and the standard deviation of each pixel, root mean square over its
        channels, [b, h, w, 1]: zero where it is known.
    """
    variance = tf.math.reduce_variance(several, axis=1)
    spread = tf.sqrt(tf.reduce_mean(variance, axis=-1, keepdims=True))
    # a mean of equal numbers may differ from them by rounding: known pixels are not averaged
    mean = mask * image + (1 - mask) * tf.reduce_mean(several, axis=1)
    return mean, (1 - mask) * spread
