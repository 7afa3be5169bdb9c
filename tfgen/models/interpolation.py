"""Ways between two latents."""

import tensorflow as tf

from tfgen import energies
from tfgen.types import Latent


def lerp(first: Latent, second: Latent, position: tf.Tensor) -> Latent:
    """Returns points of the straight line: (1 - position) first + position second.

    Args:
        first: [b, ...].
        second: [b, ...].
        position: [b], 0 at the first and 1 at the second.
    """
    t = _column(position, first)
    return (1 - t) * first + t * second


def slerp(first: Latent, second: Latent, position: tf.Tensor) -> Latent:
    """Returns points of the great circle, which keep the length that draws of the prior have.

    Args:
        first: [b, ...].
        second: [b, ...].
        position: [b], 0 at the first and 1 at the second.

    Source: Shoemake, Animating rotation with quaternion curves, 1985.
    """
    t = _column(position, first)
    u = first / _column(energies.norm(first), first)
    v = second / _column(energies.norm(second), second)
    # Kahan's formula loses no digits to small angles, and the norm's finite slope at zero keeps
    # the angle above zero
    angle = _column(2 * tf.atan2(energies.norm(u - v), energies.norm(u + v)), first)
    return (tf.sin((1 - t) * angle) * first + tf.sin(t * angle) * second) / tf.sin(angle)


def _column(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Reshapes one value an example, [b], so that it broadcasts to [b, ...]."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))
