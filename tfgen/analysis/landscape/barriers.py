"""What lies between two minima: the highest energy on a way from the one to the other."""

import dataclasses
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfgen import energies, random
from tfgen.analysis.minibatch import MinibatchMap
from tfgen.samplers import Info, Kernel, evolve
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """The bands, their steps and highest energies, and the best that each has been."""

    x: tf.Tensor
    step_size: tf.Tensor
    height: tf.Tensor
    best: tf.Tensor
    lowest: tf.Tensor
    left: tf.Tensor
    """Steps until the highest bead climbs."""


@dataclasses.dataclass(frozen=True)
class ElasticBand(Kernel):
    """The nudged elastic band: beads on a way between two minima, which slide down beside it and keep apart along it.

    A bead moves by the step times the energy's slope across the way, at most half the distance to its neighbours, and
    along the way to the middle between them. A band's step is halved when its highest energy rose. After
    `sliding_steps` the highest bead climbs along the way to the saddle.

    Args:
        step_size: the first and largest step, in units of x², positive.
        sliding_steps: steps before a bead climbs.
        bounds: if given, beads stay in this interval.

    Source: Henkelman and Jónsson, Improved tangent estimate in the nudged elastic band method, 2000; Henkelman,
        Uberuaga and Jónsson, A climbing image nudged elastic band method, 2000. Deviation: in place of springs of a
        stiffness to choose, beads go to the middle along the way.
    """

    step_size: float
    sliding_steps: int = 0
    bounds: tuple[float, float] | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        height = tf.reduce_max(_beadwise(energy)(x), axis=1)
        return State(
            x,
            tf.fill(tf.shape(height), self.step_size),
            height,
            x,
            height,
            tf.constant(self.sliding_steps),
        )

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        del seed
        x = state.x
        flat = tf.reshape(x, [tf.shape(x)[0], x.shape[1], -1])
        u, gradient = energies.value_and_grad(_beadwise(energy), x)
        height = tf.reduce_max(u, axis=1)
        # one step's heights follow from the beads that the step before it left
        rose = height > state.height
        step_size = tf.where(
            rose, state.step_size / 2, tf.minimum(1.1 * state.step_size, self.step_size)
        )
        lower = height < state.lowest
        best = tf.where(_each(lower, x), x, state.best)
        moved = self._move(
            flat, u, tf.reshape(gradient, tf.shape(flat)), step_size, state.left <= 0
        )
        moved = tf.ensure_shape(tf.reshape(moved, tf.shape(x)), x.shape)
        lowest = tf.minimum(height, state.lowest)
        new = State(moved, step_size, height, best, lowest, state.left - 1)
        norm = tf.reduce_max(tf.norm(tf.reshape(gradient, tf.shape(flat)), axis=2), axis=1)
        return new, Info(height, norm, tf.ones_like(height))

    def _move(
        self,
        x: tf.Tensor,
        u: tf.Tensor,
        gradient: tf.Tensor,
        step_size: tf.Tensor,
        climb: tf.Tensor,
    ):
        """Beads [p, k, d] after a step; the two ends stay."""
        before, after = x[:, 1:-1] - x[:, :-2], x[:, 2:] - x[:, 1:-1]
        tangent = _tangent(u, before, after)
        slope = gradient[:, 1:-1]
        along = tf.reduce_sum(slope * tangent, axis=2, keepdims=True)
        highest = (
            u[:, 1:-1, tf.newaxis] >= tf.reduce_max(u[:, 1:-1], axis=1)[:, tf.newaxis, tf.newaxis]
        )
        climbs = highest & climb
        down = -step_size[:, tf.newaxis, tf.newaxis] * (
            slope - tf.where(climbs, 2.0, 1.0) * along * tangent
        )
        lengths = [tf.norm(part, axis=2, keepdims=True) for part in (before, after)]
        reach = (lengths[0] + lengths[1]) / 4
        down *= tf.minimum(1.0, reach / tf.maximum(tf.norm(down, axis=2, keepdims=True), 1e-12))
        middle = tf.where(climbs, 0.0, (lengths[1] - lengths[0]) / 2) * tangent
        inner = x[:, 1:-1] + down + middle
        if self.bounds is not None:
            inner = tf.clip_by_value(inner, *self.bounds)
        return tf.concat([x[:, :1], inner, x[:, -1:]], axis=1)


def _tangent(u: tf.Tensor, before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """The way's direction at the inner beads, towards the higher neighbour, of length one: [p, k - 2, d]."""
    rise, fall = u[:, 2:] - u[:, 1:-1], u[:, :-2] - u[:, 1:-1]
    most, least = tf.maximum(tf.abs(rise), tf.abs(fall)), tf.minimum(tf.abs(rise), tf.abs(fall))
    up = u[:, 2:] > u[:, :-2]
    ahead = tf.where(up, most, least)
    behind = tf.where(up, least, most)
    # between a lower and a higher neighbour, the higher one alone
    monotone = rise * fall < 0
    ahead = tf.where(monotone, tf.cast(up, u.dtype), ahead)
    behind = tf.where(monotone, tf.cast(~up, u.dtype), behind)
    flat = (ahead + behind) <= 0
    weights = (tf.where(flat, 1.0, w)[..., tf.newaxis] for w in (ahead, behind))
    tangent = next(weights) * after + next(weights) * before
    return tangent / tf.maximum(tf.norm(tangent, axis=2, keepdims=True), 1e-12)


def _beadwise(energy: EnergyFn) -> EnergyFn:
    """The energy of each bead of each band, [p, k, ...] to [p, k]."""

    def beads(x):
        u = energy(tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], axis=0)))
        return tf.reshape(u, tf.shape(x)[:2])

    return beads


def _each(which: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(which, [-1] + [1] * (x.shape.rank - 1))


def line(first: tf.Tensor, second: tf.Tensor, points: int) -> tf.Tensor:
    """Points of the straight way between images [p, ...], both ends included: [p, points, ...]."""
    t = tf.reshape(tf.linspace(0.0, 1.0, points), [1, -1] + [1] * (first.shape.rank - 1))
    return (1 - t) * first[:, tf.newaxis] + t * second[:, tf.newaxis]


def straight(
    energy: EnergyFn, first: np.ndarray, second: np.ndarray, *, points: int, work: MinibatchMap
) -> np.ndarray:
    """The highest energy on the straight line between two images.

    Args:
        energy: U.
        first: [p, ...].
        second: [p, ...].
        points: where the line is looked at, the ends included, at least 2.
        work: how many images are looked at at a time.

    Returns:
        [p], nats.

    Source: Divergence triangle, section on energy landscape mapping.
    """

    def highest(a, b):
        return (tf.reduce_max(_beadwise(energy)(line(a, b, points)), axis=1),)

    return work.grouped(points).map("straight lines", highest, first, second)[0]


class Ways(NamedTuple):
    """The best ways that were found between pairs of images."""

    barrier: np.ndarray
    """The highest energy on each, [p], nats."""
    beads: np.ndarray
    """[p, k, ...], the ends included."""


def bent(
    energy: EnergyFn,
    first: np.ndarray,
    second: np.ndarray,
    *,
    kernel: ElasticBand,
    num_steps: int,
    beads: int,
    work: MinibatchMap,
    between: int = 4,
) -> Ways:
    """Ways of least highest energy between two images, started from the straight line and never above it.

    Args:
        energy: U.
        first: [p, ...].
        second: [p, ...].
        kernel: how the bands move.
        num_steps: of the bands.
        beads: of a band, the ends included, at least 3.
        work: how many images are moved at a time.
        between: parts into which the way between two beads is cut when its energies are looked at, at least 1.

    Returns:
        The ways.
    """

    def highest(x):
        parts = [line(x[:, i], x[:, i + 1], between + 1) for i in range(beads - 1)]
        return tf.reduce_max(_beadwise(energy)(tf.concat(parts, axis=1)), axis=1)

    def relax(a, b):
        start = line(a, b, beads)
        state, _ = evolve(kernel, energy, kernel.init(energy, start), random.root(0), num_steps)
        heights = tf.stack([highest(x) for x in (start, state.best, state.x)])
        best = tf.argmin(heights, axis=0, output_type=tf.int32)
        ways = tf.stack([start, state.best, state.x], axis=1)
        return tf.reduce_min(heights, axis=0), tf.gather(ways, best, axis=1, batch_dims=1)

    return Ways(*work.grouped(beads).map("elastic bands", relax, first, second))
