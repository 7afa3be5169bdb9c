"""Normalization of a layer's responses, and of a kernel by its spectral norm."""

import math

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
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=gains,
        synchronized=_has_replicas(),
        dtype=dtype,
        name=name,
    )


def _has_replicas() -> bool:
    """Returns whether statistics are of several replicas' examples together."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


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


@keras.saving.register_keras_serializable("tfgen")
class DualBatchNormalization(keras.layers.Layer):
    """Batch normalization with two sets of running statistics: of drawn and of inferred latents.

    Gains and shifts are shared. Until a set meets a batch of its own in training, it follows the
    batches of the other.

    Args:
        kwargs: Keras's own: name, dtype, trainable.

    Source: Xie et al., Adversarial examples improve image recognition, 2020, section 4.2 (auxiliary
        batch normalization).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.drawn, self.inferred = self._statistics("drawn"), self._statistics("inferred")

    def _statistics(self, name: str) -> keras.layers.BatchNormalization:
        return keras.layers.BatchNormalization(
            momentum=0.9,
            epsilon=1e-5,
            center=False,
            scale=False,
            synchronized=_has_replicas(),
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape):
        self.drawn.build(input_shape)
        self.inferred.build(input_shape)
        shape = (input_shape[-1],)
        gains = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)
        self.gamma = self.add_weight(shape=shape, initializer=gains, name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")
        # whether drawn and inferred latents have been met, 0 or 1
        self.met = self.add_weight(shape=(2,), initializer="zeros", trainable=False, name="met")

    def call(self, x, training=False, inferred=False):
        own, other = (self.inferred, self.drawn) if inferred else (self.drawn, self.inferred)
        h = own(x, training=training)
        if training:
            self._follow(own, other, inferred)
        return h * tf.cast(self.gamma, h.dtype) + tf.cast(self.beta, h.dtype)

    def _follow(self, own, other, inferred: bool) -> None:
        """Notes which latents were met, and lets a set that has met none be as the other."""
        met = tf.maximum(self.met.value, tf.one_hot(int(inferred), 2))
        self.met.assign(met)
        untouched = met[int(not inferred)] < 0.5
        for mine, its in (
            (own.moving_mean, other.moving_mean),
            (own.moving_variance, other.moving_variance),
        ):
            its.assign(tf.where(untouched, mine.value, its.value))


class MapNormalization(keras.layers.GroupNormalization):
    """Normalization of groups of channels over an image's own map: no example sees another.

    Args:
        groups: at most; as many as divide the channels and this number.
        kwargs: Keras's own: name, dtype.
    """

    def __init__(self, groups: int, **kwargs):
        super().__init__(groups=groups, epsilon=1e-5, **kwargs)

    def build(self, input_shape):
        self.groups = math.gcd(self.groups, input_shape[-1])
        super().build(input_shape)

    def call(self, inputs):
        # where a side is not known yet, Keras forgets all of them
        return tf.ensure_shape(super().call(inputs), inputs.shape)


NORMALIZATIONS = ("batch", "dual_batch", "group", "layer", "none")
"""Choices of a generator's normalization."""


def normalizations(kind: str, count: int, dtype: keras.DTypePolicy) -> list[keras.layers.Layer]:
    """Returns a generator's layers of normalization, named norm_1 and on.

    Args:
        kind: one of `NORMALIZATIONS`: over the batch, the same with two sets of running statistics,
            over 8 groups of an image's channels, over all of them, or no layers at all.
        count: number of layers.
        dtype: of the net.
    """
    makers = {
        "batch": batch_normalization,
        "dual_batch": lambda dtype, name: DualBatchNormalization(dtype=dtype, name=name),
        "group": lambda dtype, name: MapNormalization(8, dtype=dtype, name=name),
        "layer": lambda dtype, name: MapNormalization(1, dtype=dtype, name=name),
    }
    if kind == "none":
        return []
    return [makers[kind](dtype, f"norm_{number}") for number in range(1, count + 1)]


def normalized(
    norm: keras.layers.Layer, kind: str, h: tf.Tensor, *, training: bool, inferred: bool
) -> tf.Tensor:
    """Returns normalized responses of a generator.

    Args:
        norm: a layer that `normalizations` made.
        kind: one of `NORMALIZATIONS`.
        h: responses [b, ..., c].
        training: whether layers behave as in training.
        inferred: whether the latents were inferred from images, not drawn from the prior.
    """
    if kind == "dual_batch":
        return norm(h, training=training, inferred=inferred)
    return norm(h, training=training) if kind == "batch" else norm(h)


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
