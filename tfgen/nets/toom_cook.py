"""Convolutions with fewer multiplications: Toom-Cook's products, which Winograd brought to convolutions.

m outputs of r taps take m + r - 1 multiplications along an axis instead of m r: both factors are evaluated as
polynomials at so many points, multiplied there, and the product is interpolated. A stride splits an axis into phases,
each a convolution of stride 1 with its share of the taps. In two dimensions the multiplications at each pair of
points are a matrix product over channels, of all tiles and examples.

All transforms are matrices over a whole side, padding and stride included, so that every step is a product of
matrices and its gradient another; float32 rounds a few times more than a direct convolution does.

Source: Lavin and Gray, Fast algorithms for convolutional neural networks, 2016.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

POINTS = (0, 1, -1, 1 / 2, -2, 2, -1 / 2)
"""Where polynomials are evaluated, infinity beside them: in the order that rounds least, as many as float32 bears."""


class Axis(NamedTuple):
    """The transforms along one axis, float64."""

    data: np.ndarray
    """[points, tiles, side]"""
    kernel: np.ndarray
    """[points, taps]"""
    output: np.ndarray
    """[side of the output, points, tiles]"""

    @property
    def multiplications(self) -> int:
        """Along this axis."""
        return self.output.shape[1] * self.output.shape[2]


class Plan(NamedTuple):
    """How images of one size are convolved."""

    rows: Axis
    columns: Axis

    @property
    def saving(self) -> float:
        """A direct convolution's multiplications over this one's."""
        return math.prod(len(axis.output) * axis.kernel.shape[1] / axis.multiplications for axis in self)


@functools.cache
def plan(sides: tuple[int, int], kernel_size: tuple[int, int], strides: int, padding: int) -> Plan:
    """The plan with the fewest multiplications.

    Args:
        sides: height and width of the images.
        kernel_size: height and width, each at least the stride and at most `strides` times the number of points.
        strides: the sub-sampling.
        padding: zeros on each side.
    """
    return Plan(*(_fewest(side, taps, strides, padding) for side, taps in zip(sides, kernel_size, strict=True)))


def axis(side: int, taps: int, strides: int, padding: int, tile: int) -> Axis:
    """The transforms that make `tile` outputs at once.

    Args:
        side: of the image.
        taps: of the kernel.
        strides: the sub-sampling.
        padding: zeros on each side.
        tile: outputs made at once; `tile + taps / strides - 1` points must be known, infinity among them.
    """
    length = (side + 2 * padding - taps) // strides + 1
    tiles = -(-length // tile)
    phases = [_phase(side, taps, strides, padding, tile, tiles, phase) for phase in range(strides)]
    data, kernel, output = zip(*phases, strict=True)
    return Axis(np.concatenate(data), np.concatenate(kernel), np.concatenate(output, axis=1)[:length])


def _phase(side, taps, strides, padding, tile, tiles, phase):
    """The transforms of every `strides`-th tap from the `phase`-th on, and of the pixels that these meet."""
    own = -(-(taps - phase) // strides)
    points = tile + own - 1
    interpolation = np.linalg.inv(_evaluation(points, points)).T
    data = np.zeros((points, tiles, side))
    output = np.zeros((tiles * tile, points, tiles))
    kernel = np.zeros((points, taps))
    kernel[:, phase::strides] = _evaluation(points, own)
    for number in range(tiles):
        output[number * tile : (number + 1) * tile, :, number] = _evaluation(points, tile).T
        for place in range(points):
            pixel = strides * (number * tile + place) + phase - padding
            if 0 <= pixel < side:
                data[:, number, pixel] = interpolation[:, place]
    return data, kernel, output


def _evaluation(points: int, coefficients: int) -> np.ndarray:
    """The values of polynomials at the points, the last at infinity, [points, coefficients]."""
    finite = np.vander(np.float64(POINTS[: points - 1]), coefficients, increasing=True)
    return np.vstack([finite, np.eye(coefficients)[-1:]])


def _fewest(side: int, taps: int, strides: int, padding: int) -> Axis:
    largest = len(POINTS) + 2 - -(-taps // strides)
    found = [axis(side, taps, strides, padding, tile) for tile in range(1, largest + 1)]
    return min(found, key=lambda axis: axis.multiplications)


def prepared(kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """The kernel at the plan's points.

    Args:
        kernel: [height, width, in, filters].
        plan: see `plan`.

    Returns:
        [points' of the columns, points of the rows, in, filters].
    """
    return _along(kernel, *(tf.constant(axis.kernel, kernel.dtype) for axis in plan))


def convolve(x: tf.Tensor, prepared_kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """The convolution.

    Args:
        x: [b, h, w, in], of the plan's sides.
        prepared_kernel: see `prepared`.
        plan: see `plan`.

    Returns:
        [b, h', w', filters].
    """
    columns, rows, channels, filters = prepared_kernel.shape
    # examples beside channels: either axis is transformed by a single product of matrices
    data = (tf.constant(axis.data.reshape(-1, axis.data.shape[2]), x.dtype) for axis in plan)
    output = (tf.constant(axis.output.reshape(len(axis.output), -1), x.dtype) for axis in plan[::-1])
    tiles = _along(tf.transpose(x, [1, 2, 0, 3]), *data)
    tiles = tf.reshape(tiles, [columns, -1, rows, plan.rows.data.shape[1] * tf.shape(x)[0], channels])
    products = tf.matmul(tiles, prepared_kernel[:, tf.newaxis])
    y = _along(tf.reshape(products, [*(axis.multiplications for axis in plan[::-1]), -1, filters]), *output)
    return tf.transpose(y, [2, 0, 1, 3])


def _along(x: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """A matrix applied to each of the first two axes of [i, j, b, c], which change places: [j', i', b, c]."""
    i, j, _, channels = x.shape
    half = tf.matmul(first, tf.reshape(x, [i, -1]))
    # batches of small products would take three times as long as this copy and one large product
    half = tf.transpose(tf.reshape(half, [first.shape[0], j, -1]), [1, 0, 2])
    whole = tf.matmul(second, tf.reshape(half, [j, -1]))
    return tf.reshape(whole, [second.shape[0], first.shape[0], -1, channels])
