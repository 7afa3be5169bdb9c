"""Energy barriers between minima: the highest energy on a path from the one to the other."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import random
from tfgen.analysis.landscape.elastic_band import ElasticBand, energy_of_beads
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import run_from_state
from tfgen.types import EnergyFn


def line(first: tf.Tensor, second: tf.Tensor, points: int) -> tf.Tensor:
    """Interpolates linearly between images, both ends included.

    Args:
        first: [p, ...].
        second: [p, ...].
        points: on each line, at least 2.

    Returns:
        [p, points, ...].
    """
    per_point = [1, -1] + [1] * (first.shape.rank - 1)
    t = tf.reshape(tf.linspace(0.0, 1.0, points), per_point)
    return (1 - t) * first[:, tf.newaxis] + t * second[:, tf.newaxis]


def straight(
    energy: EnergyFn,
    first: np.ndarray,
    second: np.ndarray,
    *,
    points: int,
    minibatches: MinibatchMap,
) -> np.ndarray:
    """Computes the highest energy on the straight line between two images.

    Args:
        energy: U.
        first: [p, ...].
        second: [p, ...].
        points: of the line at which the energy is computed, the ends included, at least 2.
        minibatches: how many images are computed at a time.

    Returns:
        [p], nats.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    def highest(a, b):
        u = energy_of_beads(energy)(line(a, b, points))
        return (tf.reduce_max(u, axis=1),)

    return minibatches.grouped(points).map("straight lines", highest, first, second)[0]


class Paths(NamedTuple):
    """Paths of low highest energy between pairs of images."""

    barrier: np.ndarray
    """The highest energy on each, [p], nats."""
    beads: np.ndarray
    """Points of each, [p, k, ...], the ends included."""


def bent(
    energy: EnergyFn,
    first: np.ndarray,
    second: np.ndarray,
    *,
    kernel: ElasticBand,
    num_steps: int,
    beads: int,
    minibatches: MinibatchMap,
    between: int = 4,
) -> Paths:
    """Finds paths of low highest energy between two images by elastic bands.

    A band starts from the straight line. Of the line, the band at its best step and the band at its
    end, the path of the lowest barrier is taken: it is never above the straight line.

    Args:
        energy: U.
        first: [p, ...].
        second: [p, ...].
        kernel: moves the bands.
        num_steps: of the bands.
        beads: of a band, the ends included, at least 3.
        minibatches: how many images are moved at a time.
        between: parts into which the line between two beads is cut where its energy is computed, at
            least 1.

    Returns:
        The paths.
    """

    def highest(x):
        # the highest point of a path rarely lies on a bead
        parts = [line(x[:, i], x[:, i + 1], between + 1) for i in range(beads - 1)]
        return tf.reduce_max(energy_of_beads(energy)(tf.concat(parts, axis=1)), axis=1)

    def relax(a, b):
        start = line(a, b, beads)
        state, _ = run_from_state(
            kernel, energy, kernel.init(energy, start), random.root(0), num_steps
        )
        # `state.best` was lowest at its beads; between them, another one may be
        bands = [start, state.best, state.x]
        heights = tf.stack([highest(x) for x in bands])  # [3, p]
        lowest = tf.argmin(heights, axis=0, output_type=tf.int32)
        paths = tf.gather(tf.stack(bands, axis=1), lowest, axis=1, batch_dims=1)  # one of 3 each
        return tf.reduce_min(heights, axis=0), paths

    return Paths(*minibatches.grouped(beads).map("elastic bands", relax, first, second))
