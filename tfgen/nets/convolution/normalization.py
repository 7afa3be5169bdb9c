"""Normalization of a layer's responses over the batch, and of a kernel by its spectral norm."""

import keras
import tensorflow as tf


def batch_normalization(
    dtype: keras.DTypePolicy | None = None, name: str | None = None
) -> keras.layers.BatchNormalization:
    """Returns batch normalization as DCGANs have it.

    Gains start from N(1, 0.02²); running statistics follow each batch by a tenth.

    Args:
        dtype: of the net; None takes Keras's global policy.
        name: of the layer.
    """
    gains = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, gamma_initializer=gains, dtype=dtype, name=name
    )


def batch_normalizations(
    count: int, dtype: keras.DTypePolicy, start: int = 1
) -> list[keras.layers.BatchNormalization]:
    """Returns layers of batch normalization named norm_START and on.

    Args:
        count: number of layers.
        dtype: of the net.
        start: the number of the first, that of the convolution before it.
    """
    numbers = range(start, start + count)
    return [batch_normalization(dtype, f"norm_{number}") for number in numbers]


def largest_singular_value(kernel: tf.Tensor, direction: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Estimates a kernel's largest singular value by one step of the power method.

    The kernel is taken as a matrix [height width in, filters].

    Args:
        kernel: float32 [height, width, in, filters].
        direction: float32 [filters], the present estimate of the right singular vector.

    Returns:
        The singular value, differentiable in the kernel, and the new estimate of the vector.

    Source: Miyato et al., Spectral normalization for GANs, 2018, Algorithm 1.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    left = tf.math.l2_normalize(tf.linalg.matvec(matrix, direction))
    right = tf.math.l2_normalize(tf.linalg.matvec(matrix, left, transpose_a=True))
    # the gradient of leftᵀ K right is that of the singular value only with both vectors held fixed
    left, right = tf.stop_gradient(left), tf.stop_gradient(right)
    return tf.tensordot(left, tf.linalg.matvec(matrix, right), 1), right
