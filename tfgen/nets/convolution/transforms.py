"""The transforms of Toom-Cook convolutions: matrices over whole sides, and the choice of tiles.

See `tfgen.nets.convolution.toom_cook` for what they are for.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

POINTS = (0, 1, -1, 1 / 2, -2, 2, -1 / 2)
"""Where polynomials are evaluated, beside infinity, in the order that rounds least.

Further points would amplify float32's rounding errors too much.
"""


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
        """The number of multiplications along this axis."""
        return math.prod(self.data.shape[:3])

    def matrices(self, merged: bool) -> tuple[np.ndarray, np.ndarray]:
        """Returns what acts on the data, and what makes the output.

        Args:
            merged: whether products are summed over the phases before the second matrix acts; it
                sums them itself otherwise.

        Returns:
            [phases points tiles, side] and [side of the output, points tiles], or, unless merged,
            [side of the output, phases points tiles].
        """
        output = self.output[:, np.newaxis]
        # a phase's products all go to the same outputs: repeated columns of the matrix sum them
        if not merged:
            output = np.repeat(output, len(self.data), axis=1)
        return self.data.reshape(-1, self.data.shape[3]), output.reshape(len(output), -1)


class Plan(NamedTuple):
    """The transforms of images of one size."""

    rows: Axis
    columns: Axis

    @property
    def saving(self) -> float:
        """A direct convolution's multiplications over this one's."""
        ratios = (len(a.output) * a.kernel.shape[2] / a.multiplications for a in self)
        return math.prod(ratios)


@functools.cache
def plan(sides: tuple[int, int], kernel_size: tuple[int, int], strides: int, padding: int) -> Plan:
    """Returns the plan with the fewest multiplications.

    Args:
        sides: height and width of the images.
        kernel_size: height and width, each at least the stride and at most `strides` times the
            number of points.
        strides: the sub-sampling factor.
        padding: zeros on each side.
    """
    return Plan(
        _fewest(sides[0], kernel_size[0], strides, padding),
        _fewest(sides[1], kernel_size[1], strides, padding),
    )


def axis(side: int, taps: int, strides: int, padding: int, tile: int) -> Axis:
    """Returns the transforms that make `tile` outputs at once.

    Args:
        side: of the image.
        taps: of the kernel.
        strides: the sub-sampling factor.
        padding: zeros on each side.
        tile: outputs made at once; it takes `tile + taps / strides - 1` points, one of them
            infinity.
    """
    length = (side + 2 * padding - taps) // strides + 1  # of the output
    tiles = math.ceil(length / tile)
    taps_of_phase = math.ceil(taps / strides)
    points = tile + taps_of_phase - 1  # the coefficients of the product of two polynomials
    # a convolution transposes the product of polynomials: the kernel is evaluated, while the data
    # pass through the transposed interpolation and the outputs through a transposed evaluation
    data = np.zeros((strides, points, tiles, side))
    interpolation = np.linalg.inv(_evaluation(points, points)).T
    for phase, number, place in np.ndindex(strides, tiles, points):
        # neighbouring tiles overlap in the image by taps_of_phase - 1 places
        pixel = strides * (number * tile + place) + phase - padding
        # zeros beyond the border need no column of the matrix
        if 0 <= pixel < side:
            data[phase, :, number, pixel] = interpolation[:, place]
    kernel = np.zeros((strides, points, taps))
    evaluation = _evaluation(points, taps_of_phase)
    for phase in range(strides):
        # later phases may have a tap less
        own = len(range(phase, taps, strides))
        kernel[phase, :, phase::strides] = evaluation[:, :own]
    output = np.zeros((tiles * tile, points, tiles))
    for number in range(tiles):
        rows = slice(number * tile, (number + 1) * tile)
        output[rows, :, number] = _evaluation(points, tile).T
    # the last tile may reach beyond the output
    return Axis(data, kernel, output[:length])


def _evaluation(points: int, coefficients: int) -> np.ndarray:
    """Returns what evaluates polynomials, at infinity last, [points, coefficients]."""
    places = np.array(POINTS[: points - 1], np.float64)
    finite = np.vander(places, coefficients, increasing=True)
    # at infinity, a polynomial is its highest coefficient
    infinite = np.eye(coefficients)[-1:]
    return np.vstack([finite, infinite])


def _fewest(side: int, taps: int, strides: int, padding: int) -> Axis:
    # with infinity there are len(POINTS) + 1 points for tile + taps_of_phase - 1 coefficients
    largest = len(POINTS) + 2 - math.ceil(taps / strides)
    found = [axis(side, taps, strides, padding, tile) for tile in range(1, largest + 1)]
    return min(found, key=lambda axis: axis.multiplications)
