"""Generators and inference nets whose answers are known: linear ones."""

import numpy as np
import tensorflow as tf

from tfgen.nets.architectures.roles import EnergyNet, GeneratorNet, InferenceNet

SHAPE = (2, 3, 1)
WEIGHT = (0.2 * np.random.default_rng(0).standard_normal((2, 6))).astype(np.float32)
BIAS = np.linspace(-0.3, 0.3, 6, dtype=np.float32)


class Linear(GeneratorNet):
    """g(z) = z W + b, from two numbers to 2x3 pixels."""

    def __init__(self):
        super().__init__((2,), SHAPE)
        self.built = True

    def call(self, z, training):
        assert training is False
        return tf.reshape(z @ WEIGHT + BIAS, [-1, *SHAPE])


class Gaussian(InferenceNet):
    """q(z|x) = N(A x, s²), whose mean is some linear function of all pixels."""

    def __init__(self, deviation: float = 0.5):
        super().__init__((2,), SHAPE)
        self.built = True
        self.log_var = float(2 * np.log(deviation))
        self.seen = []

    def call(self, x, training):
        assert training is False
        self.seen.append(x.numpy() if tf.executing_eagerly() else x)
        mean = tf.reshape(x, [-1, 6]) @ np.linalg.pinv(WEIGHT)
        return mean, tf.fill(tf.shape(mean), self.log_var)


class Tiles(GeneratorNet):
    """Maps 2x3 latents to an image of 8x12 pixels in two channels."""

    def __init__(self):
        super().__init__((2, 3, 2), (8, 12, 2), any_size=True)
        self.built = True

    def call(self, z, training):
        assert training is False
        return tf.repeat(tf.repeat(tf.tanh(z), 4, axis=1), 4, axis=2)


class Quadratic(EnergyNet):
    """(x - mean)' P (x - mean) / 2 of images in reading order."""

    def __init__(self, mean, precision):
        super().__init__(SHAPE)
        self.mean, self.precision = mean, precision
        self.built = True

    def call(self, x, training):
        y = tf.reshape(x, [-1, 6]) - self.mean
        return tf.reduce_sum(y @ self.precision * y, axis=1) / 2


def compiled(function):
    """Compiles a function: eager loops of hundreds of steps take seconds."""
    return tf.function(function, autograph=False)


def close_to_gaussian(sample, mean, covariance) -> None:
    """Checks mean and covariance within 5 standard errors: each comparison fails at 6e-7.

    Args:
        sample: [n, d], independent draws.
        mean: [d].
        covariance: [d, d].
    """
    sample, number = np.asarray(sample, np.float64), len(sample)
    variance = np.diag(covariance)
    assert np.all(np.abs(sample.mean(axis=0) - mean) < 5 * np.sqrt(variance / number))
    error = np.sqrt((np.outer(variance, variance) + covariance**2) / number)
    assert np.all(np.abs(np.atleast_2d(np.cov(sample.T)) - covariance) < 5 * error)


def stationary(precision, step_size: float) -> np.ndarray:
    """Returns the covariance of unadjusted Langevin dynamics on a Gaussian: (P - ε² P² / 4)⁻¹."""
    return np.linalg.inv(precision - step_size**2 / 4 * precision @ precision)
