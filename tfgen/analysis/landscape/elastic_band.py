"""The nudged elastic band: a chain of beads that relaxes to a path of low energy."""

import dataclasses
from typing import Annotated, NamedTuple

import tensorflow as tf

from tfgen import energies
from tfgen.errors import NotNegative, Positive
from tfgen.samplers.base import Info, Interval, Kernel, Scalar, clamp, selected
from tfgen.types import EnergyFn, Seed


class State(NamedTuple):
    """Bands [p, k, ...], their step sizes and highest energies, and the best that each has been."""

    x: tf.Tensor
    step_size: tf.Tensor
    """[p]"""
    height: tf.Tensor
    """The highest energy of each band before its last step, [p], nats."""
    best: tf.Tensor
    """Each band when its highest energy was lowest, [p, k, ...]."""
    lowest: tf.Tensor
    """The highest energy of `best`, [p], nats."""
    left: tf.Tensor
    """Number of steps until the highest bead climbs."""


@dataclasses.dataclass(frozen=True)
class ElasticBand(Kernel):
    """Nudged elastic band with a climbing image.

    Beads lie on a path between two minima. A bead moves down the energy across the path, by the
    step size times the gradient, and by at most half the distance to its neighbours. Along the path
    it moves to the middle between them. A band's step size is halved when its highest energy rose.
    After `sliding_steps` the highest bead climbs along the path to the saddle.

    Args:
        step_size: the first and largest step size, in units of x², positive.
        sliding_steps: steps before a bead climbs, not negative.
        bounds: if given, beads stay in this interval.

    Source: Henkelman and Jónsson, Improved tangent estimate in the nudged elastic band method,
        2000; Henkelman, Uberuaga and Jónsson, A climbing image nudged elastic band method, 2000.
        Deviation: beads go to the middle along the path, in place of springs of a stiffness to
        choose.
    """

    step_size: Annotated[Scalar, Positive]
    sliding_steps: Annotated[int, NotNegative] = 0
    bounds: Interval | None = None

    def init(self, energy: EnergyFn, x: tf.Tensor) -> State:
        height = tf.reduce_max(energy_of_beads(energy)(x), axis=1)
        return State(
            x=x,
            step_size=tf.fill(tf.shape(height), self.step_size),
            height=height,
            best=x,
            lowest=height,
            left=tf.constant(self.sliding_steps),
        )

    def step(self, energy: EnergyFn, state: State, seed: Seed) -> tuple[State, Info]:
        del seed
        x = state.x
        u, gradient = energies.value_and_grad(energy_of_beads(energy), x)
        flat_shape = [tf.shape(x)[0], x.shape[1], -1]
        flat, flat_gradient = tf.reshape(x, flat_shape), tf.reshape(gradient, flat_shape)
        # `u` is of the beads as the step before this one left them: one gradient a step suffices
        height = tf.reduce_max(u, axis=1)
        # small steps grow back slowly, so that one difficult stretch does not slow the whole run
        grown = tf.minimum(1.1 * state.step_size, self.step_size)
        step_size = tf.where(height > state.height, state.step_size / 2, grown)
        moved = self._move(flat, u, flat_gradient, step_size, climb=state.left <= 0)
        new = State(
            x=tf.ensure_shape(tf.reshape(moved, tf.shape(x)), x.shape),
            step_size=step_size,
            height=height,
            best=selected(height < state.lowest, x, state.best),
            lowest=tf.minimum(height, state.lowest),
            left=state.left - 1,
        )
        norm = tf.reduce_max(tf.norm(flat_gradient, axis=2), axis=1)
        return new, Info(height, norm, tf.ones_like(height))

    def _move(
        self,
        x: tf.Tensor,
        u: tf.Tensor,
        gradient: tf.Tensor,
        step_size: tf.Tensor,
        climb: tf.Tensor,
    ) -> tf.Tensor:
        """Moves the inner beads by one step; the two ends stay.

        Args:
            x: beads, flattened, [p, k, d].
            u: their energies, [p, k].
            gradient: of the energy at each, [p, k, d].
            step_size: of each band, [p].
            climb: a boolean, whether the highest inner bead of each band climbs.

        Returns:
            The beads after the step, [p, k, d].
        """
        inner_x, inner_u = x[:, 1:-1], u[:, 1:-1, tf.newaxis]
        before, after = inner_x - x[:, :-2], x[:, 2:] - inner_x
        tangent = _tangent(u, before, after)
        slope = gradient[:, 1:-1]
        along = tf.reduce_sum(slope * tangent, axis=2, keepdims=True) * tangent
        climbs = (inner_u >= tf.reduce_max(inner_u, axis=1, keepdims=True)) & climb
        # Down the gradient across the path only: along it, beads would slide into the minima. For
        # the bead that climbs, the part along the path changes its sign and leads to the saddle.
        uphill = slope - tf.where(climbs, 2.0, 1.0) * along
        move = -step_size[:, tf.newaxis, tf.newaxis] * uphill
        # a bead that passed its neighbours would fold the path: half their mean distance at most
        length_before = tf.norm(before, axis=2, keepdims=True)
        length_after = tf.norm(after, axis=2, keepdims=True)
        reach = (length_before + length_after) / 4
        move_length = tf.maximum(tf.norm(move, axis=2, keepdims=True), 1e-12)
        move *= tf.minimum(1.0, reach / move_length)
        # in place of springs: along the path to the middle between the two neighbours
        to_middle = tf.where(climbs, 0.0, (length_after - length_before) / 2) * tangent
        inner = inner_x + move + to_middle
        return tf.concat([x[:, :1], clamp(inner, self.bounds), x[:, -1:]], axis=1)


def _tangent(u: tf.Tensor, before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """Returns the path's direction at the inner beads, of length one, [p, k - 2, d].

    Between a lower and a higher neighbour it points to the higher one. At a maximum or a minimum of
    the path both neighbours count, weighed by their differences in energy.
    """
    to_next, to_previous = u[:, 2:] - u[:, 1:-1], u[:, :-2] - u[:, 1:-1]
    most = tf.maximum(tf.abs(to_next), tf.abs(to_previous))
    least = tf.minimum(tf.abs(to_next), tf.abs(to_previous))
    up = u[:, 2:] > u[:, :-2]
    monotone = to_next * to_previous < 0
    towards, away = tf.cast(up, u.dtype), tf.cast(~up, u.dtype)
    ahead = tf.where(monotone, towards, tf.where(up, most, least))
    behind = tf.where(monotone, away, tf.where(up, least, most))
    # three equal energies say nothing about the direction: both neighbours count alike
    flat = ahead + behind <= 0
    ahead = tf.where(flat, 1.0, ahead)[..., tf.newaxis]
    behind = tf.where(flat, 1.0, behind)[..., tf.newaxis]
    tangent = ahead * after + behind * before
    return tangent / tf.maximum(tf.norm(tangent, axis=2, keepdims=True), 1e-12)


def energy_of_beads(energy: EnergyFn) -> EnergyFn:
    """Returns the energy as a function of bands, from [p, k, ...] to [p, k]."""

    def beads(x):
        images = tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], axis=0))  # [p k, ...]
        return tf.reshape(energy(images), tf.shape(x)[:2])

    return beads
