"""Energies as functions, and closures that make one energy from another.

Everything that is sampled from is a function from a batch to one energy per example, U(x) in nats,
with p(x) ∝ exp(-U(x)). The sign is decided here and only here: an energy net returns -f, minus the
score that the papers write.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from tfgen import patches
from tfgen.types import Energy, EnergyFn, Image, Integer, Label, Latent, Mask, PerChannel, Places


def value_and_grad(
    energy: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes U(x) and dU/dx, without watching weights: no work is spent on their gradients.

    Args:
        energy: the energy function, to [b]; or one of several energies for each example.
        x: [b, ...].

    Returns:
        Energies [b] in nats, and gradients [b, ...]: of their sum where there are several.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        u = energy(x)
    return u, tape.gradient(u, x)


def norm(gradient: tf.Tensor) -> tf.Tensor:
    """Computes the Euclidean norm of each example, with a finite slope at zero.

    Args:
        gradient: [b, ...].

    Returns:
        [b].
    """
    return tf.sqrt(_sum(gradient**2) + 1e-12)


def input_gradient_magnitude(energy: EnergyFn, image: Image) -> dict[str, tf.Tensor]:
    """Computes the energy of images and the magnitude of its gradient at each pixel.

    The magnitude is |dU/dx|, as the root mean square over channels: a map of the pixels that the
    energy hangs on.

    Args:
        energy: U.
        image: [b, h, w, c].

    Returns:
        `energy` [b] in nats, and `steepness` [b, h, w, 1] in nats per pixel unit.
    """
    u, gradient = value_and_grad(energy, image)
    mean_square = tf.reduce_mean(gradient**2, axis=-1, keepdims=True)
    return {"energy": u, "steepness": tf.sqrt(mean_square + 1e-12)}


def frozen(net: keras.Model) -> EnergyFn:
    """Returns the energy of a net in inference mode, which samplers need.

    Args:
        net: an energy net, [b, ...] to [b].
    """
    return lambda x: net(x, training=False)


def white_noise(sigma: float, mean: PerChannel = 0.0) -> EnergyFn:
    """Returns the energy of white noise N(mean, sigma²), up to its constant.

    Args:
        sigma: standard deviation in pixel units ([-1, 1] scale), positive.
        mean: in pixel units, [c] or a number.

    Source: A Theory of Generative ConvNet, equation 8: the reference q.
    """
    return lambda x: _sum(((x - mean) / sigma) ** 2) / 2


def tilted(energy: EnergyFn, sigma: float, mean: PerChannel = 0.0) -> EnergyFn:
    """Returns the energy of white noise tilted by a score: U(x) = -f(y) + |y|² / 2.

    Here y = (x - mean) / sigma: the net sees images in units of the noise's standard deviation, the
    mean subtracted. In these units the paper's formulas hold to the letter with its sigma = 1: on a
    piece, f = α + <y, B> and the mean is B.

    Args:
        energy: -f, of images in these units.
        sigma: the noise's standard deviation in pixel units ([-1, 1] scale), positive.
        mean: of the noise in pixel units, [c] or a number.

    Example:
        ```python
        energy = tilted(frozen(net), sigma=0.5)
        image, _ = samplers.run(samplers.Langevin(0.05), energy, start, seed, num_steps=50)
        ```

    Source: A Theory of Generative ConvNet, equations 4 and 5, section 7.
    """
    noise = white_noise(sigma, mean)
    return lambda x: energy((x - mean) / sigma) + noise(x)


def conditional(energies: Callable[[tf.Tensor], tf.Tensor], label: Label) -> EnergyFn:
    """Returns the energy of each example's own class: U(x) = U_c(x) with c its label.

    Args:
        energies: of all classes, from [b, ...] to [b, classes].
        label: int [b].

    Source: A Theory of Generative ConvNet, Definition 2.
    """

    def energy(x):
        u = energies(x)
        return tf.reduce_sum(tf.one_hot(label, u.shape[1]) * u, axis=1)

    return energy


def clamped(energy: EnergyFn, image: Image, mask: Mask) -> EnergyFn:
    """Returns the energy of the missing pixels alone, the known ones held.

    It is U(mask image + (1 - mask) x).

    Args:
        energy: the energy of whole images.
        image: [b, h, w, c]; where the mask is 0 its values do not matter.
        mask: [b, h, w, 1], 1 where a pixel is known.
    """
    return lambda x: energy(mask * image + (1 - mask) * x)


def shifted(energy: EnergyFn, number: Integer, period: int, fill: PerChannel = 0.0) -> EnergyFn:
    """Returns the energy of images that lie elsewhere on a net's grid of strides.

    Images get a border of period - 1 pixels in all, of which as many as the place says lie above
    and to the left.

    Args:
        energy: of images of any size, [b, h, w, c].
        number: of the place; whole numbers go through all of them in turn.
        period: places in each direction, at least 1.
        fill: value of the border's pixels, a number or [c].
    """
    if period == 1:
        return energy
    number = tf.cast(number, tf.int32)
    top, left = number % period, number // period % period
    border = [(0, 0), (top, period - 1 - top), (left, period - 1 - left), (0, 0)]

    def moved(x):
        around = tf.pad(x - fill, border) + fill
        height, width = ((side and side + period - 1) for side in x.shape[1:3])
        return energy(tf.ensure_shape(around, (x.shape[0], height, width, x.shape[3])))

    return moved


def posterior(
    decode: Callable[[Latent], Image], image: Image, sigma: float, mask: Mask | None = None
) -> EnergyFn:
    """Returns a generator's -log p(z, x) as a function of z, up to a constant.

    It is |x - g(z)|² / (2 sigma²) + |z|² / 2.

    Args:
        decode: g.
        image: [b, h, w, c].
        sigma: standard deviation of p(x|z) in pixel units, positive.
        mask: [b, h, w, 1], 1 where a pixel is known; None where all are.

    Source: Divergence triangle, section on learning the generator by alternating back-propagation.
    """

    def energy(z):
        error = (image - decode(z)) ** 2
        error = _sum(error if mask is None else mask * error)
        return error / (2 * sigma**2) + _sum(z**2) / 2

    return energy


def cascade(log_odds: Sequence[Callable[[Image], tf.Tensor]]) -> EnergyFn:
    """Returns minus the sum of a cascade's log-odds, -Σ ln g_a(x): how unlike the data x is.

    It is -ln p_T(x) / p_0(x), up to a constant: the density of equation 12 against the white noise
    that synthesis starts from. Synthesis ascends it alone. Without classifiers it is zero.

    Args:
        log_odds: ln g_a = ln q_a(+1|x) - ln q_a(-1|x) of each classifier, [b, ...] to [b].

    Source: INNg, equation 11.
    """
    if not log_odds:
        return lambda x: 0 * _sum(x)  # which has a slope, of zero
    return lambda x: -sum(f(x) for f in log_odds)


def cascade_density(log_odds: Sequence[Callable[[Image], tf.Tensor]], sigma: float) -> EnergyFn:
    """Returns -ln p_T of a cascade of classifiers that tilt white noise, up to a constant.

    It is |x|² / (2 sigma²) - Σ ln g_a(x). The first term is of the size of the number of pixels. It
    is usually hundreds of times the second, and lowest for plain grey: no score of an image.

    Args:
        log_odds: see `cascade`.
        sigma: standard deviation of the noise in pixel units, positive.

    Source: INNg, equation 12.
    """
    noise, odds = white_noise(sigma), cascade(log_odds)
    return lambda x: noise(x) + odds(x)


def patchwork(
    energy: Callable[..., Energy], at: Places, size: int, beside: Image | None = None
) -> EnergyFn:
    """Returns the energy of images of any size that an energy of their patches makes.

    Its value is the mean over an image's patches. The slope that it reports at a pixel is the mean
    over the patches that cover it, and 0 where none does.

    Args:
        energy: of patches [n, size, size, c].
        at: the places of the patches, as many of each image.
        size: side of a patch.
        beside: images [b, h, w, c'] whose patches at the same places are given to `energy` as a
            second argument.

    Source: INNg, section 3.5 and equation 15.
    """

    def canvas_energy(x):
        canvas = tf.stop_gradient(x)
        given = () if beside is None else (patches.cut(beside, at, size),)
        u, gradient = value_and_grad(
            lambda patch: energy(patch, *given), patches.cut(canvas, at, size)
        )
        # the slope at a pixel is a mean and no sum, so that it is not the derivative of the value;
        # the second term has it as its derivative, and is zero
        slope = tf.stop_gradient(patches.average(gradient, at, tf.shape(x)))
        each = tf.reshape(tf.stop_gradient(u), [tf.shape(x)[0], -1])
        return tf.reduce_mean(each, axis=1) + _sum(slope * (x - canvas))

    return canvas_energy


def _sum(x: tf.Tensor) -> tf.Tensor:
    """Sums each example, [b, ...] to [b]."""
    return tf.reduce_sum(x, axis=list(range(1, x.shape.rank)))
