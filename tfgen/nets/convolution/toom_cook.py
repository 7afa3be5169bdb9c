"""Convolutions with fewer multiplications: Toom-Cook's products, which Winograd brought to convolutions.

m outputs of r taps take m + r - 1 multiplications along an axis instead of m r: both factors are evaluated as
polynomials at so many points, multiplied there, and the product is interpolated. A stride splits an axis into phases,
each a convolution of stride 1 with its share of the taps. In two dimensions the multiplications at each pair of
points are a matrix product over channels, of all tiles and examples; the phases of the rows are channels to it.

All transforms are matrices over a whole side, padding and stride included, so that every step is a product of
matrices, its gradient another, and the adjoint convolution the same steps with the matrices transposed. float32 rounds
a few times more than a direct convolution does.

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
    """[phases, points, tiles, side]"""
    kernel: np.ndarray
    """[phases, points, taps]"""
    output: np.ndarray
    """[side of the output, points, tiles]"""

    @property
    def multiplications(self) -> int:
        """Along this axis."""
        return math.prod(self.data.shape[:3])

    def matrices(self, merged: bool) -> tuple[np.ndarray, np.ndarray]:
        """What acts on the data, [phases points tiles, side], and what makes the output.

        Args:
            merged: whether products are summed over the phases before they are the output's, [side, points tiles];
                else the output's matrix sums, [side, phases points tiles].
        """
        output = self.output[:, np.newaxis]
        output = output if merged else np.repeat(output, len(self.data), axis=1)
        return self.data.reshape(-1, self.data.shape[3]), output.reshape(len(output), -1)


class Plan(NamedTuple):
    """How images of one size are convolved."""

    rows: Axis
    columns: Axis

    @property
    def saving(self) -> float:
        """A direct convolution's multiplications over this one's."""
        return math.prod(
            len(axis.output) * axis.kernel.shape[2] / axis.multiplications for axis in self
        )


@functools.cache
def plan(sides: tuple[int, int], kernel_size: tuple[int, int], strides: int, padding: int) -> Plan:
    """The plan with the fewest multiplications.

    Args:
        sides: height and width of the images.
        kernel_size: height and width, each at least the stride and at most `strides` times the number of points.
        strides: the sub-sampling.
        padding: zeros on each side.
    """
    return Plan(
        *(
            _fewest(side, taps, strides, padding)
            for side, taps in zip(sides, kernel_size, strict=True)
        )
    )


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
    own = -(-taps // strides)
    points = tile + own - 1
    interpolation = np.linalg.inv(_evaluation(points, points)).T
    data = np.zeros((strides, points, tiles, side))
    for phase, number, place in np.ndindex(strides, tiles, points):
        pixel = strides * (number * tile + place) + phase - padding
        if 0 <= pixel < side:
            data[phase, :, number, pixel] = interpolation[:, place]
    kernel = np.zeros((strides, points, taps))
    for phase in range(strides):
        kernel[phase, :, phase::strides] = _evaluation(points, own)[
            :, : len(range(phase, taps, strides))
        ]
    output = np.zeros((tiles * tile, points, tiles))
    for number in range(tiles):
        output[number * tile : (number + 1) * tile, :, number] = _evaluation(points, tile).T
    return Axis(data, kernel, output[:length])


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
        [phases and points of the columns, 1, points of the rows, phases of the rows and in, filters].
    """
    height, width, channels, filters = kernel.shape
    phases, points, _ = plan.rows.kernel.shape
    rows, columns = (
        tf.constant(axis.kernel.reshape(-1, axis.kernel.shape[2]), kernel.dtype) for axis in plan
    )
    half = tf.matmul(rows, tf.reshape(kernel, [height, -1]))
    half = tf.transpose(tf.reshape(half, [phases, points, width, -1]), [2, 1, 0, 3])
    whole = tf.matmul(columns, tf.reshape(half, [width, -1]))
    return tf.reshape(whole, [columns.shape[0], 1, points, phases * channels, filters])


def convolve(x: tf.Tensor, prepared_kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """The convolution.

    Args:
        x: [b, h, w, in], of the plan's sides.
        prepared_kernel: see `prepared`.
        plan: see `plan`.

    Returns:
        [b, h', w', filters].
    """
    (rows, rows_back), (columns, columns_back) = _matrices(plan, x.dtype)
    tiles = _to_points(x, rows, columns, len(plan.rows.data))
    products = tf.matmul(_of_kernel(tiles, prepared_kernel), prepared_kernel)
    return _from_points(_of_image(products, x, plan), rows_back, columns_back, 1)


def transpose(y: tf.Tensor, prepared_kernel: tf.Tensor, plan: Plan) -> tf.Tensor:
    """The adjoint of the convolution.

    Args:
        y: [b, h', w', filters].
        prepared_kernel: see `prepared`.
        plan: of the convolution, whose sides come out.

    Returns:
        [b, h, w, in].
    """
    (rows_back, rows), (columns_back, columns) = _matrices(plan, y.dtype)
    tiles = _to_points(y, tf.transpose(rows), tf.transpose(columns), 1)
    products = tf.matmul(_of_kernel(tiles, prepared_kernel), prepared_kernel, transpose_b=True)
    products = _of_image(products, y, plan)
    return _from_points(
        products, tf.transpose(rows_back), tf.transpose(columns_back), len(plan.rows.data)
    )


def _matrices(plan: Plan, dtype: tf.DType) -> list[tuple[tf.Tensor, tf.Tensor]]:
    pairs = (plan.rows.matrices(merged=True), plan.columns.matrices(merged=False))
    return [tuple(tf.constant(matrix, dtype) for matrix in pair) for pair in pairs]


def _of_kernel(tiles: tf.Tensor, prepared_kernel: tf.Tensor) -> tf.Tensor:
    """[columns' multiplications, rows' points and tiles, b, c] beside the kernel: a matrix at each pair of points."""
    columns, _, rows, _, _ = prepared_kernel.shape
    across, down, _, channels = tiles.shape
    return tf.reshape(
        tiles, [columns, across // columns, rows, down // rows * tf.shape(tiles)[2], channels]
    )


def _of_image(products: tf.Tensor, image: tf.Tensor, plan: Plan) -> tf.Tensor:
    """Back to [columns' multiplications, rows' points and tiles, b, c]."""
    down = math.prod(plan.rows.output.shape[1:])
    return tf.reshape(
        products, [plan.columns.multiplications, down, tf.shape(image)[0], products.shape[-1]]
    )


def _to_points(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, phases: int) -> tf.Tensor:
    """A matrix over each side of [b, h, w, c], and the phases of the rows beside channels: [w', h', b, phases c]."""
    _, height, width, channels = x.shape
    half = tf.matmul(rows, tf.reshape(x, [-1, height, width * channels]))
    half = tf.reshape(half, [-1, phases, rows.shape[0] // phases, width, channels])
    # batches of small products would take three times as long as this copy and one large product
    half = tf.transpose(half, [3, 2, 0, 1, 4])
    whole = tf.matmul(columns, tf.reshape(half, [width, -1]))
    return tf.reshape(whole, [columns.shape[0], rows.shape[0] // phases, -1, phases * channels])


def _from_points(
    products: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, phases: int
) -> tf.Tensor:
    """The other way: [w', h', b, phases c] to [b, h, w, c]."""
    across, down, _, channels = products.shape
    width, channels = columns.shape[0], channels // phases
    half = tf.matmul(columns, tf.reshape(products, [across, -1]))
    half = tf.transpose(tf.reshape(half, [width, down, -1, phases, channels]), [2, 3, 1, 0, 4])
    whole = tf.matmul(rows, tf.reshape(half, [-1, phases * down, width * channels]))
    return tf.reshape(whole, [-1, rows.shape[0], width, channels])
