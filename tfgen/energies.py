"""Energies as functions, and the closures that make one energy from another.

Everything that is sampled from is a function from a batch to one energy per example, U(x) in nats, with
p(x) ∝ exp(-U(x)). Here, and only here, the sign is decided: an energy net returns -f, minus the score that
the papers write.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tfgen import patches
from tfgen.types import Energy, EnergyFn, Image, Label, Latent, Mask, Places


def value_and_grad(energy: EnergyFn, x: tf.Tensor) -> tuple[Energy, tf.Tensor]:
    """U(x) and dU/dx. Weights are not watched: no work is spent on their gradients.

    Args:
        energy: the energy function.
        x: [b, ...].

    Returns:
        energies [b] and gradients [b, ...], both float32.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        u = energy(x)
    return u, tape.gradient(u, x)


def norm(gradient: tf.Tensor) -> tf.Tensor:
    """The Euclidean norm of each example, with a finite slope at zero.

    Args:
        gradient: [b, ...].

    Returns:
        [b].
    """
    axes = list(range(1, gradient.shape.rank))
    return tf.sqrt(tf.reduce_sum(gradient**2, axis=axes) + 1e-12)


def steepness(energy: EnergyFn, image: Image) -> dict[str, tf.Tensor]:
    """An image's energy, and which pixels it hangs on: |dU/dx|, root mean square over channels.

    Args:
        energy: U.
        image: [b, h, w, c].

    Returns:
        `energy` [b] in nats, and `steepness` [b, h, w, 1] in nats per pixel unit.
    """
    u, gradient = value_and_grad(energy, image)
    return {
        "energy": u,
        "steepness": tf.sqrt(tf.reduce_mean(gradient**2, axis=-1, keepdims=True) + 1e-12),
    }


def frozen(net: keras.Model) -> EnergyFn:
    """The net's energy in inference mode, as samplers want it."""
    return lambda x: net(x, training=False)


def white_noise(sigma: float, mean: tf.Tensor | float = 0.0) -> EnergyFn:
    """The reference q = N(mean, sigma² 1) of A Theory of Generative ConvNet, equation 8, up to its constant.

    Args:
        sigma: standard deviation in pixel units ([-1, 1] scale), positive.
        mean: [c], or a number.
    """
    return lambda x: tf.reduce_sum(((x - mean) / sigma) ** 2, axis=list(range(1, x.shape.rank))) / 2


def tilted(energy: EnergyFn, sigma: float, mean: tf.Tensor | float = 0.0) -> EnergyFn:
    """White noise tilted by a score: U(x) = -f(y) + |y|² / 2 with y = (x - mean) / sigma.

    The net sees images in units of the reference's standard deviation, the mean subtracted. In these units
    the paper's formulas hold to the letter with its sigma = 1: on a piece, f = α + <y, B> and the mean is B.

    Args:
        energy: -f, of images in these units.
        sigma: the reference's standard deviation in pixel units ([-1, 1] scale), positive.
        mean: of the reference in pixel units, [c] or a number.

    Source: A Theory of Generative ConvNet, equations 4 and 5, section 7.
    """
    reference = white_noise(sigma, mean)
    return lambda x: energy((x - mean) / sigma) + reference(x)


def conditional(energies: EnergyFn, label: Label) -> EnergyFn:
    """Of one energy per class, each example's own: U(x) = U_c(x) with c its label.

    Args:
        energies: a function from [b, ...] to [b, classes].
        label: int [b].

    Source: A Theory of Generative ConvNet, Definition 2.
    """

    def energy(x):
        u = energies(x)
        return tf.reduce_sum(tf.one_hot(label, u.shape[1]) * u, axis=1)

    return energy


def clamped(energy: EnergyFn, image: Image, mask: Mask) -> EnergyFn:
    """The energy of the missing pixels alone, the known ones held: U(mask image + (1 - mask) x).

    Args:
        energy: the energy of whole images.
        image: [b, h, w, c]; where the mask is 0 its values do not matter.
        mask: [b, h, w, 1], 1 where a pixel is known.
    """
    return lambda x: energy(mask * image + (1 - mask) * x)


def posterior(
    decode: Callable[[Latent], Image], image: Image, sigma: float, mask: Mask | None = None
) -> EnergyFn:
    """-log p(z, x) of a generator in z, up to a constant: |x - g(z)|² / (2 sigma²) + |z|² / 2.

    Args:
        decode: g.
        image: [b, h, w, c].
        sigma: standard deviation of p(x|z) in pixel units, positive.
        mask: [b, h, w, 1], 1 where a pixel is known; None where all are.

    Source: Divergence triangle, section on learning the generator by alternating back-propagation.
    """

    def energy(z):
        error = (image - decode(z)) ** 2
        error = tf.reduce_sum(error if mask is None else mask * error, axis=[1, 2, 3])
        return error / (2 * sigma**2) + tf.reduce_sum(z**2, axis=list(range(1, z.shape.rank))) / 2

    return energy


def cascade(log_odds: Sequence[Callable[[Image], tf.Tensor]], sigma: float) -> EnergyFn:
    """-log p_T of a cascade of classifiers that tilt white noise, up to a constant: |x|² / (2 sigma²) - Σ ln g_a(x).

    Args:
        log_odds: ln g_a = ln q_a(+1|x) - ln q_a(-1|x) of each classifier, [b, ...] to [b].
        sigma: standard deviation of the noise in pixel units, positive.

    Source: INNg, equation 12.
    """
    noise = white_noise(sigma)
    return lambda x: noise(x) - sum(f(x) for f in log_odds)


def patchwork(energy: EnergyFn, at: Places, size: int, beside: Image | None = None) -> EnergyFn:
    """The energy of images of any size that an energy of their patches makes.

    Its value is the mean over an image's patches; the slope that it reports at a pixel is the mean over the
    patches that cover it, and 0 where none does.

    Args:
        energy: of patches [n, size, size, c].
        at: the patches, as many of each image.
        size: side of a patch.
        beside: images whose patches at the same places are given to `energy` as a second argument, [b, h, w, c'].

    Source: INNg, section 3.5 and equation 15.
    """

    def canvas_energy(x):
        canvas = tf.stop_gradient(x)
        given = () if beside is None else (patches.cut(beside, at, size),)
        u, gradient = value_and_grad(
            lambda patch: energy(patch, *given), patches.cut(canvas, at, size)
        )
        slope = tf.stop_gradient(patches.average(gradient, at, tf.shape(x)))
        each = tf.reshape(tf.stop_gradient(u), [tf.shape(x)[0], -1])
        return tf.reduce_mean(each, axis=1) + tf.reduce_sum(slope * (x - canvas), axis=[1, 2, 3])

    return canvas_energy
